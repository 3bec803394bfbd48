// What a gateway with the board has, in one library: the core (Verilator's model of sim.v) at its
// bus, its pins and its AXI4-Lite port, and in front of the pins the kernel's spidev and gpiochip
// and the configuration logic of an iCE40. Structures and numbers come from the kernel's headers,
// so the driver is held to them, byte for byte.
#include <errno.h>
#include <linux/gpio.h>
#include <linux/spi/spidev.h>
#include <stdarg.h>
#include <string.h>
#include <vector>
#include "Vsim.h"
#include "harness.hpp"
#include "verilated.h"

struct Model {
  VerilatedContext context;
  Vsim top{&context};
  void tick() { top.clk = 0; top.eval(); top.clk = 1; top.eval(); }
  void set(Pin pin, uint32_t v) {
    switch (pin) {
      case RST: top.rst = v; break;
      case MODE: top.mode = v; break;
      case ADDR: top.addr = v; break;
      case WE: top.we = v; break;
      case RE: top.re = v; break;
      case WDATA: top.wdata = v; break;
      case SCK: top.sck = v; break;
      case CSN: top.csn = v; break;
      case MOSI: top.mosi = v; break;
      case AWADDR: top.awaddr = v; break;
      case AWVALID: top.awvalid = v; break;
      case WVALID: top.wvalid = v; break;
      case BREADY: top.bready = v; break;
      case ARADDR: top.araddr = v; break;
      case ARVALID: top.arvalid = v; break;
      case RREADY: top.rready = v; break;
    }
  }
  uint32_t rdata() { return top.rdata; }
  bool irq() { return top.irq; }
  bool miso() { return top.miso; }
  bool bvalid() { return top.bvalid; }
  bool rvalid() { return top.rvalid; }
  uint32_t axirdata() { return top.axirdata; }
};

static Harness<Model>* chip;
static const uint32_t HALF = 2 * 256; // sck = clk / 4, the fastest that is promised

// ---- the iCE40 before it is configured: what icepack writes, with its check sum
enum { LINE_SELECT = 8, LINE_RESET = 24, LINE_DONE = 25 };
enum { FD_SPI = 900, FD_CHIP = 901, FD_LINE = 1000 };
static bool configured = true, configuring = false, ours = true, selected = false, in_reset = false;
static uint32_t spi_mode = 0, spi_speed = 0;
static std::vector<uint8_t> received, expected;

// Where the configuration is complete and its check sum right; 0 while it is not.
static size_t accepted(const std::vector<uint8_t>& b) {
  size_t i = 0;
  while (i + 4 <= b.size() && memcmp(&b[i], "\x7e\xaa\x99\x7e", 4) != 0) i++;
  uint16_t crc = 0xffff;
  uint32_t width = 0, height = 0;
  bool checked = false;
  auto next = [&]() -> uint8_t {
    const uint8_t byte = i < b.size() ? b[i] : 0;
    i++;
    for (int bit = 7; bit >= 0; bit--) {
      const bool flip = (crc >> 15 ^ byte >> bit) & 1;
      crc = static_cast<uint16_t>(crc << 1 ^ (flip ? 0x1021 : 0));
    }
    return byte;
  };
  for (i += 4; i < b.size();) {
    const uint8_t head = next();
    uint32_t payload = 0;
    for (int n = head & 15; n > 0; n--) payload = payload << 8 | next();
    switch (head >> 4) {
      case 0:
        if (payload == 1 || payload == 3) {
          for (uint32_t n = width * height / 8; n > 0; n--) next();
          if (next() != 0 || next() != 0) return 0;
        } else if (payload == 5) {
          crc = 0xffff;
        } else if (payload == 6) {
          return checked ? i : 0;
        }
        break;
      case 2: if (crc != 0) return 0; checked = true; break;
      case 6: width = payload + 1; break;
      case 7: height = payload; break;
      default: break;
    }
  }
  return 0;
}

static void line(int offset, bool high) {
  if (offset == LINE_SELECT) selected = !high;
  if (offset != LINE_RESET) return;
  if (in_reset && high) { configuring = selected; received.clear(); }
  in_reset = !high;
  if (in_reset) configured = configuring = false;
}

static int transfer(const spi_ioc_transfer& t) {
  std::vector<uint8_t> bytes(t.len);
  memcpy(bytes.data(), reinterpret_cast<const void*>(t.tx_buf), t.len);
  if (t.len > 4096 || t.bits_per_word != 8 || t.speed_hz > spi_speed) return EINVAL;
  if (configuring) {
    // CPOL and CPHA, and the chip selected from reset on.
    if ((spi_mode & 3) != 3 || !selected) return EIO;
    received.insert(received.end(), bytes.begin(), bytes.end());
    const size_t end = accepted(received);
    if (end != 0 && received.size() >= end + 7) {
      configured = true;
      configuring = false;
      ours = received.size() >= expected.size() && memcmp(received.data(), expected.data(), expected.size()) == 0;
      chip->reset();
    }
    memset(bytes.data(), 0xff, t.len);
  } else if (!configured || !ours || ((spi_mode & SPI_NO_CS) && !selected)) {
    memset(bytes.data(), 0xff, t.len);
  } else {
    if ((spi_mode & 3) != 0) return EIO;
    chip->spi(bytes.data(), t.len, HALF);
  }
  memcpy(reinterpret_cast<void*>(t.rx_buf), bytes.data(), t.len);
  return 0;
}

static int fail(int code) { errno = code; return -1; }

extern "C" {
// ---- for the test
void chip_open() { delete chip; chip = new Harness<Model>; chip->reset(); }
void chip_write(uint32_t at, const uint32_t* words, uint32_t n) { chip->write(at, words, n); }
void chip_read(uint32_t at, uint32_t* words, uint32_t n) { chip->read(at, words, n); }
uint32_t chip_wait(uint32_t most) { chip->wait(most); return chip->model.irq(); }
void chip_axi_write(uint32_t at, uint32_t word) { chip->axi_write(at, word); }
uint32_t chip_axi_read(uint32_t at) { return chip->axi_read(at); }
// A board that has no configuration yet, and the bitstream that makes it ours.
void board(const uint8_t* bitstream, uint32_t n) {
  expected.assign(bitstream, bitstream + n);
  configured = configuring = ours = selected = in_reset = false;
}
// sizeof and offsetof, and the numbers of calls, in the order in which the test has them.
void numbers(uint32_t* to) {
  const uint32_t all[] = {
    SPI_IOC_WR_BITS_PER_WORD, SPI_IOC_WR_MAX_SPEED_HZ, SPI_IOC_WR_MODE32, SPI_IOC_MESSAGE(1),
    sizeof(spi_ioc_transfer), offsetof(spi_ioc_transfer, tx_buf), offsetof(spi_ioc_transfer, rx_buf),
    offsetof(spi_ioc_transfer, len), offsetof(spi_ioc_transfer, speed_hz),
    offsetof(spi_ioc_transfer, bits_per_word), GPIO_V2_GET_LINE_IOCTL, GPIO_V2_LINE_GET_VALUES_IOCTL,
    GPIO_V2_LINE_SET_VALUES_IOCTL, sizeof(gpio_v2_line_request), offsetof(gpio_v2_line_request, offsets),
    offsetof(gpio_v2_line_request, consumer), offsetof(gpio_v2_line_request, config.flags),
    offsetof(gpio_v2_line_request, num_lines), offsetof(gpio_v2_line_request, fd)};
  memcpy(to, all, sizeof all);
}

// ---- the kernel
int open(const char* path, int, ...) {
  if (strcmp(path, "/dev/spidev0.0") == 0) return FD_SPI;
  if (strcmp(path, "/dev/gpiochip0") == 0) return FD_CHIP;
  return fail(ENOENT);
}
int close(int) { return 0; }
int flock(int, int) { return 0; }
int ioctl(int fd, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  void* argument = va_arg(list, void*);
  va_end(list);
  if (fd == FD_SPI) {
    switch (request) {
      case SPI_IOC_WR_BITS_PER_WORD: return *static_cast<uint8_t*>(argument) == 8 ? 0 : fail(EINVAL);
      case SPI_IOC_WR_MAX_SPEED_HZ: spi_speed = *static_cast<uint32_t*>(argument); return 0;
      case SPI_IOC_WR_MODE32: spi_mode = *static_cast<uint32_t*>(argument); return 0;
      case SPI_IOC_MESSAGE(1): {
        const auto& t = *static_cast<spi_ioc_transfer*>(argument);
        const int code = transfer(t);
        return code == 0 ? static_cast<int>(t.len) : fail(code);
      }
      default: return fail(ENOTTY);
    }
  }
  if (fd == FD_CHIP && request == GPIO_V2_GET_LINE_IOCTL) {
    auto* r = static_cast<gpio_v2_line_request*>(argument);
    const uint64_t input = GPIO_V2_LINE_FLAG_INPUT, output = GPIO_V2_LINE_FLAG_OUTPUT;
    if (r->num_lines != 1 || r->config.flags != (r->offsets[0] == LINE_DONE ? input : output)) return fail(EINVAL);
    r->fd = FD_LINE + static_cast<int>(r->offsets[0]);
    return 0;
  }
  if (fd >= FD_LINE) {
    auto* v = static_cast<gpio_v2_line_values*>(argument);
    if (v->mask != 1) return fail(EINVAL);
    if (request == GPIO_V2_LINE_SET_VALUES_IOCTL) { line(fd - FD_LINE, v->bits & 1); return 0; }
    if (request == GPIO_V2_LINE_GET_VALUES_IOCTL) { v->bits = configured; return 0; }
  }
  return fail(ENOTTY);
}
void* mmap(void*, unsigned long, int, int, int, long) { errno = ENODEV; return reinterpret_cast<void*>(-1); }
int poll(void*, unsigned long, int) { return fail(ENODEV); }
long read(int, void*, unsigned long) { return fail(ENODEV); }
long write(int, const void*, unsigned long) { return fail(ENODEV); }
}

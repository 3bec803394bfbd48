// What both simulators of sim.v (CXXRTL as WebAssembly, Verilator as a shared library) offer to
// their host: the register bus, SPI frames at the pins with any ratio of clocks, AXI4-Lite.
// `Model` has the input pins as set(PIN, value), the outputs as rdata() ..., and tick().
#pragma once
#include <stdint.h>

enum Pin { RST, MODE, ADDR, WE, RE, WDATA, SCK, CSN, MOSI, AWADDR, AWVALID, WVALID, BREADY, ARADDR,
           ARVALID, RREADY };
enum { BUS = 0, SPI = 1, AXI = 2 };

template <class Model> struct Harness {
  Model model;
  uint64_t cycles = 0;
  uint32_t mode = BUS;

  void tick() { model.tick(); cycles++; }
  void ticks(uint32_t n) { while (n-- > 0) tick(); }
  void door(uint32_t to) {
    if (mode == to) return;
    mode = to;
    model.set(MODE, to);
    ticks(4);
  }
  void reset() {
    model.set(CSN, 1);
    model.set(RST, 1);
    ticks(8);
    model.set(RST, 0);
    tick();
  }
  void write(uint32_t at, const uint32_t* words, uint32_t n) {
    door(BUS);
    model.set(WE, 1);
    for (uint32_t i = 0; i < n; i++) {
      model.set(ADDR, at + i);
      model.set(WDATA, words[i]);
      tick();
    }
    model.set(WE, 0);
  }
  void read(uint32_t at, uint32_t* words, uint32_t n) {
    door(BUS);
    model.set(RE, 1);
    for (uint32_t i = 0; i < n; i++) {
      model.set(ADDR, at + i);
      tick();
      words[i] = model.rdata();
    }
    model.set(RE, 0);
  }
  // Clocks until the interrupt, `most` when there is none.
  uint32_t wait(uint32_t most) {
    uint32_t n = 0;
    do { tick(); n++; } while (!model.irq() && n < most);
    return n;
  }
  // One frame of n bytes in place, mode 0. `half` is half a period of sck in 1/256 of a clock.
  void spi(uint8_t* bytes, uint32_t n, uint32_t half) {
    door(SPI);
    uint32_t time = 0;
    auto pass = [&](uint32_t t) { for (time += t; time >= 256; time -= 256) tick(); };
    model.set(CSN, 0);
    pass(3 * half + 512);
    for (uint32_t i = 0; i < n; i++) {
      uint8_t in = 0;
      for (int bit = 7; bit >= 0; bit--) {
        model.set(MOSI, bytes[i] >> bit & 1);
        pass(half);
        in = static_cast<uint8_t>(in << 1 | model.miso()); // the master samples as sck rises
        model.set(SCK, 1);
        pass(half);
        model.set(SCK, 0);
      }
      bytes[i] = in;
    }
    pass(half + 512);
    model.set(CSN, 1);
    ticks(4);
  }
  void axi_write(uint32_t at, uint32_t word) {
    door(AXI);
    model.set(AWADDR, at);
    model.set(WDATA, word);
    model.set(AWVALID, 1);
    model.set(WVALID, 1);
    model.set(BREADY, 1);
    tick(); // ready at once: nothing is outstanding
    model.set(AWVALID, 0);
    model.set(WVALID, 0);
    for (int i = 0; i < 8 && !model.bvalid(); i++) tick();
    tick();
    model.set(BREADY, 0);
  }
  uint32_t axi_read(uint32_t at) {
    door(AXI);
    model.set(ARADDR, at);
    model.set(ARVALID, 1);
    model.set(RREADY, 1);
    tick();
    model.set(ARVALID, 0);
    for (int i = 0; i < 8 && !model.rvalid(); i++) tick();
    const uint32_t word = model.axirdata();
    tick();
    model.set(RREADY, 0);
    return word;
  }
};

// The cycle-accurate emulator: sim.v as C++ (yosys write_cxxrtl) compiled to WebAssembly. One core a
// module instance. Built by build.ts; the result is kept in the repository.
#include "core_cxxrtl.cc"
#include "harness.hpp"

using Sim = cxxrtl_design::p_sim;

struct Model {
  Sim sim;
  Model() { sim.p_clk.set<bool>(true); }
  // A rising edge alone: nothing hangs on the falling one, and stepping it doubles the time.
  void tick() {
    sim.prev_p_clk = cxxrtl::value<1>{0u};
    sim.step();
  }
  void set(Pin pin, uint32_t v) {
    switch (pin) {
      case RST: sim.p_rst.set<bool>(v); break;
      case MODE: sim.p_mode.set<uint8_t>(v); break;
      case ADDR: sim.p_addr.set<uint32_t>(v); break;
      case WE: sim.p_we.set<bool>(v); break;
      case RE: sim.p_re.set<bool>(v); break;
      case WDATA: sim.p_wdata.set<uint32_t>(v); break;
      case SCK: sim.p_sck.set<bool>(v); break;
      case CSN: sim.p_csn.set<bool>(v); break;
      case MOSI: sim.p_mosi.set<bool>(v); break;
      case AWADDR: sim.p_awaddr.set<uint32_t>(v); break;
      case AWVALID: sim.p_awvalid.set<bool>(v); break;
      case WVALID: sim.p_wvalid.set<bool>(v); break;
      case BREADY: sim.p_bready.set<bool>(v); break;
      case ARADDR: sim.p_araddr.set<uint32_t>(v); break;
      case ARVALID: sim.p_arvalid.set<bool>(v); break;
      case RREADY: sim.p_rready.set<bool>(v); break;
    }
  }
  // A step ends with the registers: what hangs on them is computed at the next.
  uint32_t rdata() { sim.step(); return sim.p_rdata.data[0]; }
  bool miso() { sim.step(); return sim.p_miso.data[0] & 1; }
  bool bvalid() { sim.step(); return sim.p_bvalid.data[0] & 1; }
  bool rvalid() { sim.step(); return sim.p_rvalid.data[0] & 1; }
  uint32_t axirdata() { return sim.p_axirdata.data[0]; }
  bool irq() { return sim.p_irq.data[0] & 1; } // a clock late: waiting need not cost a third step
};

static Harness<Model>* harness;
static uint32_t words[1 << 16];

#define EXPORT(name) __attribute__((export_name(name)))
extern "C" {
EXPORT("words") uint32_t* words_at() { return words; }
EXPORT("open") void open_sim() { harness = new Harness<Model>; harness->reset(); }
EXPORT("reset") void reset_sim() { harness->reset(); }
EXPORT("write") void write_sim(uint32_t at, uint32_t n) { harness->write(at, words, n); }
EXPORT("read") void read_sim(uint32_t at, uint32_t n) { harness->read(at, words, n); }
EXPORT("wait") uint32_t wait_sim(uint32_t most) { return harness->wait(most); }
EXPORT("ticks") void ticks_sim(uint32_t n) { harness->ticks(n); }
EXPORT("irq") uint32_t irq_sim() { return harness->model.irq(); }
EXPORT("cycles") double cycles_sim() { return static_cast<double>(harness->cycles); }
EXPORT("spi") void spi_sim(uint32_t n, uint32_t half) {
  harness->spi(reinterpret_cast<uint8_t*>(words), n, half);
}
EXPORT("axiWrite") void axi_write_sim(uint32_t at, uint32_t word) { harness->axi_write(at, word); }
EXPORT("axiRead") uint32_t axi_read_sim(uint32_t at) { return harness->axi_read(at); }
}

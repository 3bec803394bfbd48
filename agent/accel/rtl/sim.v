// The core with all of its doors for the simulators: mode 0 the register bus itself, 1 the SPI
// pins, 2 AXI4-Lite. One model, so that what is tested at the pins is what is tested at the bus.
`default_nettype none
module sim (
  input  wire clk, input wire rst, input wire [1:0] mode,
  input  wire [17:0] addr, input wire we, input wire re, input wire [31:0] wdata,
  output wire [31:0] rdata, output wire irq,
  input  wire sck, input wire csn, input wire mosi, output wire miso,
  input  wire [19:0] awaddr, input wire awvalid, output wire awready,
  input  wire wvalid, output wire wready, output wire bvalid, input wire bready,
  input  wire [19:0] araddr, input wire arvalid, output wire arready,
  output wire [31:0] axirdata, output wire rvalid, input wire rready
);
  wire [17:0] s_addr, a_addr; wire s_we, s_re, a_we, a_re; wire [31:0] s_wdata, a_wdata;
  spi_slave spi(clk, rst || mode != 1, sck, csn, mosi, miso, s_addr, s_we, s_re, s_wdata, rdata);
  axi_lite axi(clk, !rst && mode == 2, awaddr, awvalid, awready, wdata, 4'hf, wvalid, wready,
    bvalid, , bready, araddr, arvalid, arready, axirdata, rvalid, , rready,
    a_addr, a_we, a_re, a_wdata, rdata);
  ternary_core core(clk, rst,
    mode == 1 ? s_addr : mode == 2 ? a_addr : addr,
    mode == 1 ? s_we : mode == 2 ? a_we : we,
    mode == 1 ? s_re : mode == 2 ? a_re : re,
    mode == 1 ? s_wdata : mode == 2 ? a_wdata : wdata, rdata, irq);
endmodule

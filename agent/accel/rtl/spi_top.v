// The core behind SPI, with a reset of its own after configuration.
`default_nettype none
module spi_top (
  input wire clk, input wire sck, input wire cs_n, input wire mosi, output wire miso, output wire irq
);
  reg [3:0] count = 0; // flip-flops of an iCE40 are 0 after configuration
  wire rst = !count[3];
  always @(posedge clk) if (rst) count <= count + 1'b1;
  wire [17:0] addr; wire we, re; wire [31:0] wdata, rdata;
  spi_slave spi(clk, rst, sck, cs_n, mosi, miso, addr, we, re, wdata, rdata);
  ternary_core core(clk, rst, addr, we, re, wdata, rdata, irq);
endmodule

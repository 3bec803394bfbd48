// The bitstream for iCE40UP5K: the chip's own oscillator gives 24 MHz, so the board needs no clock.
`default_nettype none
module top_up5k (
  input wire sck, input wire cs_n, input wire mosi, output wire miso, output wire irq
);
  wire clk;
  SB_HFOSC #(.CLKHF_DIV("0b01")) oscillator(.CLKHFPU(1'b1), .CLKHFEN(1'b1), .CLKHF(clk));
  spi_top top(clk, sck, cs_n, mosi, miso, irq);
endmodule

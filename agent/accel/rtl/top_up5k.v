// The bitstream for iCE40UP5K: the chip's own oscillator gives 24 MHz, so the board needs no clock.
// miso is driven only while the chip is selected: others may share the bus.
`default_nettype none
module top_up5k (
  input wire sck, input wire cs_n, input wire mosi, inout wire miso, output wire irq
);
  wire clk, out;
  SB_HFOSC #(.CLKHF_DIV("0b01")) oscillator(.CLKHFPU(1'b1), .CLKHFEN(1'b1), .CLKHF(clk));
  SB_IO #(.PIN_TYPE(6'b1010_01)) miso_pin(.PACKAGE_PIN(miso), .OUTPUT_ENABLE(!cs_n), .D_OUT_0(out));
  spi_top top(clk, sck, cs_n, mosi, out, irq);
endmodule

// SPI mode 0 to the register bus. A frame (chip select low) is: command 0x02 write or 0x03 read,
// 24 bits of word address, for a read one byte of pause, then 32-bit words, least significant byte
// first, the address counting up. A word that chip select cuts short is dropped.
//
// The pins are sampled with clk, so sck may be up to clk / 4. miso changes after a rising edge is
// seen, two to three clocks later: the master has taken its bit at that edge, and the next bit is
// there before the next one. (Changing it after the falling edge would halve the speed.)
`default_nettype none
module spi_slave (
  input  wire clk, input wire rst,
  input  wire sck, input wire cs_n, input wire mosi, output wire miso,
  output reg [17:0] addr, output reg we, output reg re, output reg [31:0] wdata,
  input  wire [31:0] rdata
);
  reg [2:0] sck_s; reg [1:0] cs_s, mosi_s;
  always @(posedge clk) begin
    sck_s <= {sck_s[1:0], sck}; cs_s <= {cs_s[0], cs_n}; mosi_s <= {mosi_s[0], mosi};
  end
  wire rise = sck_s[2:1] == 2'b01;
  wire selected = !cs_s[1];

  reg [5:0]  bits;     // of the header, or of the word
  reg        header, reading, ignore, was_re;
  reg [31:0] in, out, fetched;
  wire [31:0] next_in = {in[30:0], mosi_s[1]};
  wire read = next_in[31:24] == 8'h03;
  assign miso = out[7];

  always @(posedge clk) begin
    we <= 0; re <= 0; was_re <= re;
    if (we) addr <= addr + 1'b1;
    if (was_re) fetched <= rdata;
    if (rst || !selected) begin
      bits <= 0; header <= 1; reading <= 0;
    end else if (rise) begin
      in <= next_in;
      bits <= bits + 1'b1;
      if (header) begin
        if (bits == 31) begin
          addr <= next_in[17:0];
          reading <= read;
          ignore <= next_in[31:24] != 8'h02;
          if (read) re <= 1; // the answer begins after the byte of pause
          else begin header <= 0; bits <= 0; end
        end
        if (bits == 39) begin header <= 0; bits <= 0; out <= fetched; end
      end else begin
        bits <= bits == 31 ? 6'd0 : bits + 1'b1;
        if (bits == 31 && !ignore) begin
          we <= 1;
          wdata <= {next_in[7:0], next_in[15:8], next_in[23:16], next_in[31:24]};
        end
        if (reading) begin
          // Out goes byte 0 first, each from its bit 7.
          if (bits == 31) out <= fetched;
          else if (bits[2:0] == 7) out <= {8'd0, out[31:8]};
          else out <= {out[31:8], out[6:0], 1'b0};
          if (bits == 16) begin addr <= addr + 1'b1; re <= 1; end
        end
      end
    end
  end
endmodule

// AXI4-Lite slave to the register bus: byte address = 4 * word address, 32-bit data, one access at
// a time, full words only (strobes are not looked at). For the logic of a Zynq or Kria behind UIO.
`default_nettype none
module axi_lite (
  input  wire aclk, input wire aresetn,
  input  wire [19:0] s_awaddr, input wire s_awvalid, output wire s_awready,
  input  wire [31:0] s_wdata, input wire [3:0] s_wstrb, input wire s_wvalid, output wire s_wready,
  output reg  s_bvalid, output wire [1:0] s_bresp, input wire s_bready,
  input  wire [19:0] s_araddr, input wire s_arvalid, output wire s_arready,
  output reg  [31:0] s_rdata, output reg s_rvalid, output wire [1:0] s_rresp, input wire s_rready,
  output wire [17:0] addr, output wire we, output wire re, output wire [31:0] wdata,
  input  wire [31:0] rdata
);
  reg fetching; // rdata is valid in this clock
  assign we = s_awvalid && s_wvalid && !s_bvalid && aresetn;
  assign re = s_arvalid && !s_rvalid && !fetching && !we && aresetn;
  assign addr = we ? s_awaddr[19:2] : s_araddr[19:2];
  assign wdata = s_wdata;
  assign s_awready = we, s_wready = we, s_arready = re, s_bresp = 2'b00, s_rresp = 2'b00;
  always @(posedge aclk)
    if (!aresetn) begin s_bvalid <= 0; s_rvalid <= 0; fetching <= 0; end
    else begin
      if (we) s_bvalid <= 1; else if (s_bready) s_bvalid <= 0;
      fetching <= re;
      if (fetching) begin s_rdata <= rdata; s_rvalid <= 1; end
      else if (s_rready) s_rvalid <= 0;
    end
endmodule

// The core behind AXI4-Lite: the module to place in the block design of a Zynq or Kria.
`default_nettype none
module axi_top #(
  parameter LANES = 32, parameter WEIGHT_BITS = 14, parameter DATA_BITS = 13, parameter PARAM_BITS = 10
) (
  input  wire aclk, input wire aresetn,
  input  wire [19:0] s_awaddr, input wire s_awvalid, output wire s_awready,
  input  wire [31:0] s_wdata, input wire [3:0] s_wstrb, input wire s_wvalid, output wire s_wready,
  output wire s_bvalid, output wire [1:0] s_bresp, input wire s_bready,
  input  wire [19:0] s_araddr, input wire s_arvalid, output wire s_arready,
  output wire [31:0] s_rdata, output wire s_rvalid, output wire [1:0] s_rresp, input wire s_rready,
  output wire irq
);
  wire [17:0] addr; wire we, re; wire [31:0] wdata, rdata;
  axi_lite axi(aclk, aresetn, s_awaddr, s_awvalid, s_awready, s_wdata, s_wstrb, s_wvalid, s_wready,
    s_bvalid, s_bresp, s_bready, s_araddr, s_arvalid, s_arready, s_rdata, s_rvalid, s_rresp, s_rready,
    addr, we, re, wdata, rdata);
  ternary_core #(.LANES(LANES), .WEIGHT_BITS(WEIGHT_BITS), .DATA_BITS(DATA_BITS), .PARAM_BITS(PARAM_BITS))
    core(aclk, !aresetn, addr, we, re, wdata, rdata, irq);
endmodule

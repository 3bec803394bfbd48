// Sterna's ternary core: matrix-vector products and 1-D convolutions of weights -1/0/+1 with int8
// activations, requantised to int8, layer after layer without the host.
//
// LANES output rows are computed in parallel: each clock one activation is broadcast to all lanes,
// and each lane adds it, subtracts it or leaves it. While a block of rows drains through the one
// requantiser, a row a clock, the next block is already summed. The register map, the meaning of a
// stage and the integers are in docs/fpga.md; the integers are those of agent/accel/reference.ts.
`default_nettype none
module ternary_core #(
  parameter LANES       = 32, // rows in parallel: 16, 32, 64 or 128
  parameter ACC_BITS    = 20, // of a sum with its bias
  parameter WEIGHT_BITS = 14, // log2 of the weight words (2 * LANES bits each)
  parameter DATA_BITS   = 13, // log2 of the activation memory in bytes, at most 15
  parameter PARAM_BITS  = 10, // log2 of the rows that have parameters, at most 13
  parameter STAGE_BITS  = 5   // log2 of the stages
) (
  input  wire        clk,
  input  wire        rst,
  // The register bus: 32-bit words, rdata is valid in the clock after re.
  input  wire [17:0] addr,
  input  wire        we,
  input  wire        re,
  input  wire [31:0] wdata,
  output wire [31:0] rdata,
  output wire        irq
);
  localparam BANKS = LANES / 8;           // 16-bit weight banks
  localparam BANK_SEL = $clog2(BANKS / 2); // bus words of one weight word, log2
  localparam ROW_BITS = $clog2(LANES);

  // ---- address decode; addresses are in docs/fpga.md and agent/accel/fpga/registers.ts
  wire at_weights = addr[17];
  wire at_regs    = addr[17:14] == 4'd0;
  wire at_data    = addr[17:14] == 4'd1;
  wire at_params  = addr[17:14] == 4'd2;
  wire at_stages  = addr[17:14] == 4'd3;

  // ---- control register and soft reset
  reg start, soft_reset, done;
  reg [STAGE_BITS-1:0] stage; // the one that runs
  reg [STAGE_BITS:0]   stages_left;
  wire reset = rst || soft_reset;
  wire control = we && at_regs && addr[3:0] == 4'd4;
  always @(posedge clk) begin
    start      <= control && wdata[0] && !reset;
    soft_reset <= control && wdata[1];
  end
  assign irq = done;

  // ---- weights: single port, the bus has priority (the host must not write while it runs)
  reg  [WEIGHT_BITS-1:0] w_addr;
  wire [2*LANES-1:0] w_q;
  genvar g;
  generate for (g = 0; g < BANKS; g = g + 1) begin : bank
`ifdef STERNA_SPRAM
    (* ram_style = "huge" *)
`endif
    reg [15:0] mem [0:(1 << WEIGHT_BITS) - 1];
    reg [15:0] q;
    wire mine = we && at_weights && (BANK_SEL == 0 || addr[(BANK_SEL == 0 ? 0 : BANK_SEL - 1):0] == (g >> 1));
    wire [WEIGHT_BITS-1:0] a = mine ? addr[WEIGHT_BITS+BANK_SEL-1:BANK_SEL] : w_addr;
    always @(posedge clk)
      if (mine) mem[a] <= g[0] ? wdata[31:16] : wdata[15:0];
      else q <= mem[a];
    assign w_q[16*g +: 16] = q;
  end endgenerate

  // ---- activations: four byte lanes, one read and one write port, shared with the bus
  reg  [DATA_BITS-1:0] x_addr;
  reg  y_we, y_raw;
  reg  [DATA_BITS-1:0] y_addr;
  reg  [31:0] y_data;
  wire running;
  wire bus_data = we && at_data && !running;
  wire [DATA_BITS-3:0] data_ra = running ? x_addr[DATA_BITS-1:2] : addr[DATA_BITS-3:0];
  wire [DATA_BITS-3:0] data_wa = running ? y_addr[DATA_BITS-1:2] : addr[DATA_BITS-3:0];
  wire [31:0] data_q;
  generate for (g = 0; g < 4; g = g + 1) begin : data
    reg [7:0] mem [0:(1 << (DATA_BITS - 2)) - 1];
    reg [7:0] q;
    wire lane_we = bus_data || (y_we && (y_raw || y_addr[1:0] == g));
    wire [7:0] d = running ? (y_raw ? y_data[8*g +: 8] : y_data[7:0]) : wdata[8*g +: 8];
    always @(posedge clk) begin
      if (lane_we) mem[data_wa] <= d;
      q <= mem[data_ra];
    end
    assign data_q[8*g +: 8] = q;
  end endgenerate
  reg [1:0] x_sel;
  always @(posedge clk) x_sel <= x_addr[1:0];
  wire signed [7:0] x = x_sel == 0 ? data_q[7:0] : x_sel == 1 ? data_q[15:8]
                      : x_sel == 2 ? data_q[23:16] : data_q[31:24];

  // ---- parameters of rows: {shift, multiplier, bias}; the even word waits for the odd one
  reg [ACC_BITS+19:0] params [0:(1 << PARAM_BITS) - 1];
  reg [ACC_BITS+19:0] p_q;
  reg [ACC_BITS-1:0] bias_wait;
  reg [PARAM_BITS-1:0] p_addr;
  always @(posedge clk) begin
    if (we && at_params && !addr[0]) bias_wait <= wdata[ACC_BITS-1:0];
    if (we && at_params && addr[0])
      params[addr[PARAM_BITS:1]] <= {wdata[20:16], wdata[14:0], bias_wait};
    p_q <= params[p_addr];
  end

  // ---- stages: eight 16-bit words each
  reg [15:0] stages [0:(8 << STAGE_BITS) - 1];
  reg [15:0] s_q;
  reg [3:0]  field; // the word being read
  always @(posedge clk) begin
    if (we && at_stages) stages[addr[STAGE_BITS+2:0]] <= wdata[15:0];
    s_q <= stages[{stage, field[2:0]}];
  end

  // ---- sequencer: fetch a stage, run its places, blocks and columns, wait until it has drained
  localparam IDLE = 2'd0, FETCH = 2'd1, RUN = 2'd2, DRAIN = 2'd3;
  reg [1:0] state;
  assign running = state != IDLE;
  reg raw, relu;
  reg [12:0] rows, places_left;
  reg [DATA_BITS:0] cols, cols_left;
  reg [WEIGHT_BITS-1:0] w_base;
  reg [PARAM_BITS-1:0] p_base;
  reg [DATA_BITS-1:0] x_base, x_step;
  reg [12:0] rows_left; // of this place, with those of this block
  reg [31:0] cycles;
  reg first; // column of a block

  reg issue_v, issue_first, issue_last; // the memories answer in this clock
  reg [ROW_BITS:0] issue_rows, capture_rows;
  reg capture;                          // the sums of a block are complete
  reg [ROW_BITS:0] draining;            // rows still in the shadow registers
  reg [6:1] p_v;                        // stages of the requantiser in use
  wire last_col   = cols_left == 1;
  wire last_block = rows_left <= LANES;
  wire [ROW_BITS:0] block_rows = last_block ? rows_left[ROW_BITS:0] : LANES;
  // A block is captured three clocks after its last column; the one before must be gone by then.
  wire stall = last_col && (issue_last || capture || draining > 3);
  wire empty = !issue_v && !capture && draining == 0 && p_v == 0 && !y_we;

  always @(posedge clk) begin
    issue_v <= 0; issue_first <= 0; issue_last <= 0;
    if (state != IDLE) cycles <= cycles + 1'b1;
    if (control && (wdata[0] || wdata[2])) done <= 0;
    case (state)
      IDLE: if (start) begin
        state <= FETCH; field <= 0; cycles <= 0;
      end
      FETCH: begin // s_q is the word before this one
        field <= field + 1'b1;
        case (field)
          1: begin raw <= s_q[15]; relu <= s_q[14]; rows <= s_q[12:0]; rows_left <= s_q[12:0]; end
          2: begin cols <= s_q[DATA_BITS:0]; cols_left <= s_q[DATA_BITS:0]; end
          3: places_left <= s_q[12:0];
          4: begin w_base <= s_q[WEIGHT_BITS-1:0]; w_addr <= s_q[WEIGHT_BITS-1:0]; end
          5: p_base <= s_q[PARAM_BITS-1:0];
          6: begin x_base <= s_q[DATA_BITS-1:0]; x_addr <= s_q[DATA_BITS-1:0]; end
          7: x_step <= s_q[DATA_BITS-1:0];
          8: begin state <= RUN; first <= 1; end // y_next takes the last word
          default:;
        endcase
      end
      RUN: if (!stall) begin
        issue_v <= 1; issue_first <= first; issue_last <= last_col; issue_rows <= block_rows;
        first <= last_col;
        w_addr <= w_addr + 1'b1;
        x_addr <= x_addr + 1'b1;
        cols_left <= cols_left - 1'b1;
        if (last_col) begin
          cols_left <= cols;
          x_addr <= x_base;
          rows_left <= rows_left - LANES;
          if (last_block) begin
            rows_left <= rows;
            w_addr <= w_base;
            x_base <= x_base + x_step;
            x_addr <= x_base + x_step;
            places_left <= places_left - 1'b1;
            if (places_left == 1) state <= DRAIN;
          end
        end
      end
      DRAIN: if (empty) begin
        field <= 0;
        stage <= stage + 1'b1;
        stages_left <= stages_left - 1'b1;
        state <= stages_left == 1 ? IDLE : FETCH;
        done <= stages_left == 1;
      end
    endcase
    if (control && wdata[0] && state == IDLE) begin
      stage <= wdata[8 +: STAGE_BITS];
      stages_left <= wdata[16 +: STAGE_BITS + 1];
    end
    if (reset) begin
      state <= IDLE; done <= 0; cycles <= 0; issue_v <= 0; issue_last <= 0;
    end
  end

  // ---- lanes: code 01 adds x, 11 subtracts it (~x + 1), 00 leaves the sum
  reg signed [ACC_BITS-1:0] acc [0:LANES-1];
  reg signed [ACC_BITS-1:0] shadow [0:LANES-1];
  integer i;
  always @(posedge clk) begin
    capture <= issue_v && issue_last && !reset;
    capture_rows <= issue_rows;
    if (issue_v) for (i = 0; i < LANES; i = i + 1)
      acc[i] <= (issue_first ? {ACC_BITS{1'b0}} : acc[i])
              + ({ACC_BITS{w_q[2*i+1]}} ^ (w_q[2*i] ? {{(ACC_BITS-8){x[7]}}, x} : {ACC_BITS{1'b0}}))
              + w_q[2*i+1];
  end

  // ---- drain: shadow[0] is the next row; its parameters are read in the same clock
  reg [12:0] place_rows; // rows of this place that have not drained
  wire draws = draining != 0;
  wire stage_begins = state == FETCH && field == 8;
  always @(posedge clk) begin
    if (draws) begin
      draining <= draining - 1'b1;
      for (i = 0; i < LANES - 1; i = i + 1) shadow[i] <= shadow[i+1];
      place_rows <= place_rows == 1 ? rows : place_rows - 1'b1;
      p_addr <= place_rows == 1 ? p_base : p_addr + 1'b1;
    end
    if (capture) begin
      draining <= capture_rows;
      for (i = 0; i < LANES; i = i + 1) shadow[i] <= acc[i];
    end
    if (stage_begins) begin place_rows <= rows; p_addr <= p_base; end
    if (reset) draining <= 0;
  end

  // ---- requantise: y = clamp((((sum + bias) * m) + (1 << (s - 1))) >> s), then relu
  localparam PROD = ACC_BITS + 16;
  reg signed [ACC_BITS-1:0] p1, p2, p3_sum, p4_sum, p5_sum, p6_sum;
  reg [14:0] p2_m;
  reg [4:0] p2_s, p3_s, p4_s;
  reg [2:0] p5_s;
  reg signed [PROD-1:0] p3, p4, p5, p6, round;
  reg [DATA_BITS-1:0] y_next;
  wire signed [ACC_BITS-1:0] bias = p_q[ACC_BITS-1:0];
  wire high = !p6[PROD-1] && |p6[PROD-2:7];
  wire low  = p6[PROD-1] && (!(&p6[PROD-2:7]) || p6[6:0] == 0);
  wire [31:0] y_int8 = relu && p6[PROD-1] ? 32'd0 : high ? 32'd127 : low ? -32'sd127
                     : {{24{p6[7]}}, p6[7:0]};
  always @(posedge clk) begin
    p_v <= reset ? 6'd0 : {p_v[5:1], draws};
    y_we <= p_v[6] && !reset;
    p1 <= shadow[0];
    p2 <= p1 + bias; p2_m <= p_q[ACC_BITS+14:ACC_BITS]; p2_s <= p_q[ACC_BITS+19:ACC_BITS+15];
    p3 <= p2 * $signed({1'b0, p2_m}); p3_s <= p2_s; p3_sum <= p2;
    round <= p2_s == 0 ? {PROD{1'b0}} : {{(PROD-1){1'b0}}, 1'b1} << (p2_s - 5'd1);
    p4 <= p3 + round; p4_s <= p3_s; p4_sum <= p3_sum;
    p5 <= p4 >>> {p4_s[4:3], 3'd0}; p5_s <= p4_s[2:0]; p5_sum <= p4_sum;
    p6 <= p5 >>> p5_s; p6_sum <= p5_sum;
    y_raw <= raw;
    y_data <= raw ? {{(32-ACC_BITS){p6_sum[ACC_BITS-1]}}, p6_sum} : y_int8;
    y_addr <= y_next;
    if (p_v[6]) y_next <= y_next + (raw ? 3'd4 : 3'd1);
    if (stage_begins) y_next <= s_q[DATA_BITS-1:0];
  end

  // ---- check sums over every word the host wrote to a memory and every y of a last stage: what
  // the link lost, repeated or bent, and a device that was reset, give other sums than the host's
  reg [31:0] check_a, check_b, check_word;
  reg check_v;
  wire write_counts = we && !at_regs;
  wire y_counts = y_we && stages_left == 1;
  always @(posedge clk) begin
    check_v <= write_counts || y_counts;
    check_word <= y_counts ? y_data : wdata;
    if (check_v) begin check_a <= check_a + check_word; check_b <= check_b + check_a; end
    if (reset) begin check_a <= 0; check_b <= 0; end
  end

  // ---- reads
  localparam [31:0] ID = 32'h5445524E; // "TERN"
  localparam [31:0] VERSION = 32'h0001_0000;
  localparam [7:0] LANES_8 = LANES, ACC_8 = ACC_BITS, WEIGHT_8 = WEIGHT_BITS, DATA_8 = DATA_BITS;
  localparam [7:0] PARAM_8 = PARAM_BITS, STAGE_8 = STAGE_BITS;
  reg [31:0] reg_q;
  reg from_data;
  always @(posedge clk) begin
    from_data <= at_data;
    case (addr[3:0])
      0: reg_q <= ID;
      1: reg_q <= VERSION;
      2: reg_q <= {DATA_8, WEIGHT_8, ACC_8, LANES_8};
      3: reg_q <= {16'd0, STAGE_8, PARAM_8};
      5: reg_q <= {30'd0, done, running || start};
      6: reg_q <= cycles;
      7: reg_q <= check_a;
      8: reg_q <= check_b;
      default: reg_q <= 0;
    endcase
    if (!at_regs) reg_q <= 0;
  end
  assign rdata = from_data ? data_q : reg_q;
endmodule

//! The shape of a network that is trained: layers by size, and where each reads its inputs. A conv
//! runs over the places of a window without padding; a dense layer reads all of them.

export type LayerSpec = {
  /** Outputs of a dense layer, filters of a conv. */
  readonly size: number;
  /** What its weights end as: trits, or int8 for the first and last layer of a precise one. */
  readonly weights: "ternary" | "int8";
  /** Places that a conv sees, and how far they lie apart; without a kernel it is dense. */
  readonly kernel?: number;
  readonly dilation?: number;
  /** Where its output saturates; by default at the high quantile that training sees. */
  readonly ceiling?: number;
  /** Input channels (all of them) in which its outputs never fall: weights of at least 0. */
  readonly rising?: readonly number[] | "all";
};

export type NetSpec = {
  readonly channels: number;
  /** Of the window; 1 where there is none. An example lies channel by channel. */
  readonly places: number;
  /** Value of one int8 step of the input. */
  readonly inputStep: number;
  readonly layers: readonly LayerSpec[];
  /** The answer is tanh of the last layer: whoever runs the file does that in float. */
  readonly bounded?: boolean;
};

/** A multi-layer perceptron; `edges` is what its first and its last layer end as. */
export function perceptron(
  sizes: readonly number[],
  inputStep: number,
  edges: { readonly first: LayerSpec["weights"]; readonly last: LayerSpec["weights"] },
): NetSpec {
  const [channels = 1, ...rest] = sizes;
  const layers = rest.map((size, i): LayerSpec => {
    const edge = i === rest.length - 1 ? edges.last : i === 0 ? edges.first : "ternary";
    return { size, weights: edge };
  });
  return { channels, places: 1, inputStep, layers };
}

/** One layer in place: how many values it reads for one output, and which. */
export type Placed = {
  readonly spec: LayerSpec;
  readonly cols: number;
  readonly channels: number;
  readonly places: number;
  /** Channel of each column. */
  readonly channelOf: (column: number) => number;
  /** Index of its inputs in the matrix before it; null where that is already in order. */
  readonly from: ((batch: number) => Int32Array) | null;
};

/** Columns in the order of an ONNX file: channel by channel, its places behind one another. */
export function place({ channels, places, layers }: NetSpec): Placed[] {
  let [c, p] = [channels, places];
  return layers.map((spec, i): Placed => {
    const { kernel, dilation = 1 } = spec;
    const [inChannels, inPlaces] = [c, p];
    const seen = kernel ?? inPlaces;
    const outPlaces = kernel === undefined ? 1 : inPlaces - (kernel - 1) * dilation;
    if (!(outPlaces >= 1)) throw new Error(`layer ${i}: its kernel is longer than its input`);
    const cols = inChannels * seen;
    // An example lies channel by channel, what a layer made place by place.
    const before = (b: number, channel: number, at: number): number => {
      const inside = i === 0 ? channel * inPlaces + at : at * inChannels + channel;
      return b * inChannels * inPlaces + inside;
    };
    const indexOf = (batch: number): Int32Array => {
      const index = new Int32Array(batch * outPlaces * cols);
      let k = 0;
      for (let b = 0; b < batch; b++) {
        for (let q = 0; q < outPlaces; q++) {
          for (let col = 0; col < cols; col++) {
            index[k++] = before(b, Math.floor(col / seen), q + (col % seen) * dilation);
          }
        }
      }
      return index;
    };
    const plain = inPlaces === 1 || (kernel === undefined && i === 0);
    [c, p] = [spec.size, outPlaces];
    return {
      spec,
      cols,
      channels: inChannels,
      places: outPlaces,
      channelOf: (column) => Math.floor(column / seen),
      from: plain ? null : remember(indexOf),
    };
  });
}

function remember(make: (batch: number) => Int32Array): (batch: number) => Int32Array {
  const made = new Map<number, Int32Array>();
  return (batch) => {
    const index = made.get(batch) ?? make(batch);
    made.set(batch, index);
    return index;
  };
}

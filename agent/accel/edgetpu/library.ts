//! The C API of TensorFlow Lite and that of libedgetpu, through koffi. Only the worker calls it: a
//! call may take as long as a device pleases.
import { createRequire } from "node:module";
import { OperatingError } from "../../base/errors.js";
import { NO_MODEL } from "./frames.js";

/** Of the C API: what changed since does not concern these calls; older ones have no delegates. */
const MAJOR = 2;
const MINOR = { least: 5, most: 19 };
const INT8 = 9;

type Koffi = typeof import("koffi");
type Call = (...given: readonly unknown[]) => unknown;

export type Listed = { readonly kind: "pcie" | "usb"; readonly path: string };

/** A model in its interpreter. */
export type Interpreter = {
  readonly nameIn: string;
  /** Bytes where the interpreter has them: written before, read after an invoke. */
  readonly input: Int8Array;
  readonly output: Int8Array;
  /** @throws OperatingError `edgetpu-invoke` */
  invoke(): void;
  close(): void;
};

export type Tflite = {
  readonly version: string;
  /** `delegate`: null computes on the CPU. @throws OperatingError `NO_MODEL`, `edgetpu-refused` */
  open(model: Uint8Array, delegate: unknown): Interpreter;
};

export type EdgeTpu = {
  readonly version: string;
  list(): readonly Listed[];
  /** @throws OperatingError `edgetpu-busy`: there is none, or another process has it. */
  createDelegate(device: Listed): unknown;
  freeDelegate(delegate: unknown): void;
};

const koffi = (): Koffi => createRequire(import.meta.url)("koffi") as Koffi;

function functionsOf<Name extends string>(
  file: string,
  prototypes: Readonly<Record<Name, string>>,
): Readonly<Record<Name, Call>> {
  try {
    const library = koffi().load(file);
    const rows = Object.entries<string>(prototypes);
    // The keys are those of `prototypes`, which fromEntries forgets.
    return Object.fromEntries(
      rows.map(([name, prototype]) => [name, library.func(prototype) as Call]),
    ) as Record<Name, Call>;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new OperatingError("edgetpu-library", `${file}: ${text.split("\n")[0]}`, error);
  }
}

const TFLITE = {
  versionOf: "const char *TfLiteVersion()",
  createModel: "void *TfLiteModelCreate(const void *, size_t)",
  deleteModel: "void TfLiteModelDelete(void *)",
  createOptions: "void *TfLiteInterpreterOptionsCreate()",
  deleteOptions: "void TfLiteInterpreterOptionsDelete(void *)",
  setThreads: "void TfLiteInterpreterOptionsSetNumThreads(void *, int32_t)",
  addDelegate: "void TfLiteInterpreterOptionsAddDelegate(void *, void *)",
  create: "void *TfLiteInterpreterCreate(void *, void *)",
  delete: "void TfLiteInterpreterDelete(void *)",
  allocate: "int TfLiteInterpreterAllocateTensors(void *)",
  invoke: "int TfLiteInterpreterInvoke(void *)",
  countIn: "int32_t TfLiteInterpreterGetInputTensorCount(void *)",
  countOut: "int32_t TfLiteInterpreterGetOutputTensorCount(void *)",
  tensorIn: "void *TfLiteInterpreterGetInputTensor(void *, int32_t)",
  tensorOut: "void *TfLiteInterpreterGetOutputTensor(void *, int32_t)",
  typeOf: "int TfLiteTensorType(void *)",
  sizeOf: "size_t TfLiteTensorByteSize(void *)",
  dataOf: "void *TfLiteTensorData(void *)",
  nameOf: "const char *TfLiteTensorName(void *)",
} as const;

const EDGETPU = {
  versionOf: "const char *edgetpu_version()",
  list: "void *edgetpu_list_devices(_Out_ size_t *)",
  freeList: "void edgetpu_free_devices(void *)",
  create: "void *edgetpu_create_delegate(int, const char *, const void *, size_t)",
  free: "void edgetpu_free_delegate(void *)",
} as const;

/** @throws OperatingError `edgetpu-library`: no such file, no such functions, another version. */
export function openTflite(file: string): Tflite {
  const api = functionsOf(file, TFLITE);
  const version = String(api.versionOf());
  const [major, minor] = version.split(".").map(Number) as [number, number];
  if (major !== MAJOR || !(minor >= MINOR.least && minor <= MINOR.most)) {
    const known = `${MAJOR}.${MINOR.least} to ${MAJOR}.${MINOR.most}`;
    throw new OperatingError("edgetpu-library", `${file}: version ${version}, not ${known}`);
  }
  const tensor = (found: unknown, what: string): { at: unknown; bytes: Int8Array } => {
    const fault = (why: string) => new OperatingError(NO_MODEL, `its ${what} ${why}`);
    if (found === null) throw fault("is missing");
    const [type, size, data] = [
      Number(api.typeOf(found)),
      Number(api.sizeOf(found)),
      api.dataOf(found),
    ];
    if (type !== INT8) throw fault(`is of type ${type}, not int8`);
    if (data === null) throw fault("has no memory");
    return { at: found, bytes: new Int8Array(koffi().view(data, size)) };
  };
  return {
    version,
    open(model, delegate): Interpreter {
      // TFLite reads the model where it lies, for as long as the interpreter lives.
      const lasting: unknown = koffi().alloc("uint8_t", model.length);
      new Uint8Array(koffi().view(lasting, model.length)).set(model);
      const opened = api.createModel(lasting, model.length);
      if (opened === null) {
        koffi().free(lasting);
        throw new OperatingError(NO_MODEL, "it is no .tflite file");
      }
      const options = api.createOptions();
      api.setThreads(options, 1);
      if (delegate !== null) api.addDelegate(options, delegate);
      // An operator of the compiler without its delegate ends here or in `allocate`.
      const interpreter = api.create(opened, options);
      api.deleteOptions(options);
      const close = (): void => {
        if (interpreter !== null) api.delete(interpreter);
        api.deleteModel(opened);
        koffi().free(lasting);
      };
      try {
        if (interpreter === null || api.allocate(interpreter) !== 0) {
          // Of the right network, so that one is the library's doing: see the versions.
          const where = delegate === null ? "TensorFlow Lite" : "the Edge TPU's delegate";
          throw new OperatingError("edgetpu-refused", `${where} refused it`);
        }
        if (api.countIn(interpreter) !== 1 || api.countOut(interpreter) !== 1) {
          throw new OperatingError(NO_MODEL, "it has not one input and one output");
        }
        const input = tensor(api.tensorIn(interpreter, 0), "input");
        return {
          nameIn: String(api.nameOf(input.at)),
          input: input.bytes,
          output: tensor(api.tensorOut(interpreter, 0), "output").bytes,
          invoke(): void {
            const status = api.invoke(interpreter);
            if (status === 0) return;
            throw new OperatingError("edgetpu-invoke", `an inference failed, status ${status}`);
          },
          close,
        };
      } catch (error) {
        close();
        throw error;
      }
    },
  };
}

const KINDS = ["pcie", "usb"] as const;
/** Far more than a gateway has. */
const DEVICES_MAX = 64;

/** @throws OperatingError `edgetpu-library`: no such file, no such functions. */
export function openEdgeTpu(file: string): EdgeTpu {
  const api = functionsOf(file, EDGETPU);
  const Device = koffi().struct({ type: "int", path: "const char *" });
  return {
    version: String(api.versionOf()),
    list(): readonly Listed[] {
      const count: [number] = [0];
      const found = api.list(count);
      if (found === null || Number(count[0]) === 0) return [];
      const length = Math.min(DEVICES_MAX, Number(count[0]));
      const rows = koffi().decode(found, Device, length) as { type: number; path: string }[];
      api.freeList(found);
      return rows.map(({ type, path }) => ({ kind: KINDS[type] ?? "usb", path }));
    },
    createDelegate({ kind, path }): unknown {
      const delegate = api.create(KINDS.indexOf(kind), path, null, 0);
      if (delegate !== null) return delegate;
      throw new OperatingError("edgetpu-busy", `${path}: in use by another process, or not ready`);
    },
    freeDelegate: (delegate) => void api.free(delegate),
  };
}

//! A small OPC UA server on loopback for the demo and the tests: AnalogDataItems with
//! EUInformation and EURange, as a turbine controller shows them. Never part of the daemon.
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";
import type { MessageSecurityMode, SecurityPolicy, VariantOptions } from "node-opcua-client";
import type { OPCUAServer } from "node-opcua-server";

export type OpcuaUnit = {
  readonly unitId: number;
  readonly displayName: string;
  readonly description: string;
  /** Whose codes the unitId is of; UNECE's where absent. */
  readonly namespaceUri?: string;
};

export type OpcuaNode = {
  /** `ns=2;s=WT07.Power`; the namespace is 1 or 2. */
  readonly nodeId: string;
  readonly name: string;
  /** Null: a plain variable that declares no unit. */
  readonly unit: OpcuaUnit | null;
  readonly range: readonly [number, number];
  /** What it carries; Double where absent. */
  readonly type?: "Double" | "Int64" | "Boolean" | "String";
};

export type OpcuaServerOptions = {
  /** 0: any free port. */
  readonly port: number;
  /** Key, certificate and trust lists; kept, so that a second start is faster. */
  readonly stateDir: string;
  readonly nodes: readonly OpcuaNode[];
  /** The only mode that the endpoint offers: None unless it says so. */
  readonly security?: "None" | "Sign" | "SignAndEncrypt";
  /** When present, an anonymous session is refused. */
  readonly user?: { readonly name: string; readonly password: string };
};

export type OpcuaValue = number | boolean | string | Float64Array;
export type OpcuaStatus = "Good" | "UncertainSensorNotAccurate" | "BadSensorFailure";

export type RunningOpcuaServer = {
  readonly endpoint: string;
  /** Writes one value as its source would; a node that is not in `nodes` is our own mistake. */
  set(nodeId: string, value: OpcuaValue, t_ms: number, status?: OpcuaStatus): void;
  /** Declares another unit while it runs, as an engineer at the controller does. */
  declare(nodeId: string, unit: OpcuaUnit): void;
  stop(): Promise<void>;
};

const HOST = "127.0.0.1";
const PORT_MIN = 10_000;
const PORT_MAX = 32_000;
const UNECE = "http://www.opcfoundation.org/UA/units/un/cefact";
const EU_INFORMATION = "i=887";

type AddressSpace = NonNullable<OPCUAServer["engine"]["addressSpace"]>;
type Variable = ReturnType<ReturnType<AddressSpace["getOwnNamespace"]>["addVariable"]>;

export async function startOpcuaServer(options: OpcuaServerOptions): Promise<RunningOpcuaServer> {
  // Loaded here: a quarter of a gigabyte that only the demo and the tests pay for.
  const [ua, { OPCUAServer }, { OPCUACertificateManager }] = await Promise.all([
    import("node-opcua-client"),
    import("node-opcua-server"),
    import("node-opcua-certificate-manager"),
  ]);
  ua.setWarningLogger(() => {});
  const port = options.port === 0 ? await freePort() : options.port;
  const mode = options.security ?? "None";
  // Without stores of its own the library writes under $HOME.
  const store = (folder: string) =>
    new OPCUACertificateManager({
      rootFolder: join(options.stateDir, folder),
      automaticallyAcceptUnknownCertificate: true,
      disableFileWatchers: true,
    });
  const modes: MessageSecurityMode[] = [ua.MessageSecurityMode[mode]];
  const policies: SecurityPolicy[] = [
    mode === "None" ? ua.SecurityPolicy.None : ua.SecurityPolicy.Basic256Sha256,
  ];
  const { user } = options;
  const server = new OPCUAServer({
    host: HOST,
    hostname: HOST,
    port,
    securityModes: modes,
    securityPolicies: policies,
    serverCertificateManager: store("server"),
    userCertificateManager: store("users"),
    allowAnonymous: user === undefined,
    ...(user === undefined
      ? {}
      : {
          userManager: {
            isValidUser: (name: string, password: string) =>
              name === user.name && password === user.password,
          },
        }),
    serverInfo: { applicationUri: "urn:sterna:demo", productUri: "urn:sterna:demo" },
    buildInfo: { productName: "sterna demo", manufacturerName: "sterna" },
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  if (space === null) throw new Error("node-opcua-server has no address space after initialize");
  const variables = addNodes(space, options.nodes);
  const variable = (nodeId: string) => {
    const found = variables.get(nodeId);
    if (found === undefined) throw new Error(`the demo server has no node ${nodeId}`);
    return found;
  };
  await server.start();
  return {
    endpoint: `opc.tcp://${HOST}:${port}`,
    declare(nodeId, unit): void {
      const value = space.constructExtensionObject(ua.resolveNodeId(EU_INFORMATION), {
        namespaceUri: UNECE,
        ...unit,
      });
      const property = variable(nodeId).node.getPropertyByName("EngineeringUnits");
      const { ExtensionObject: dataType } = ua.DataType;
      (property as Variable).setValueFromSource({ dataType, value });
    },
    set(nodeId, value, t_ms, status = "Good"): void {
      const { node, type } = variable(nodeId);
      const { dataType, arrayType } = kindOf(ua, value, type);
      const variant: VariantOptions = { dataType, arrayType, value };
      node.setValueFromSource(variant, ua.StatusCodes[status], new Date(t_ms));
    },
    stop: () => server.shutdown(0),
  };
}

type Kind = NonNullable<OpcuaNode["type"]>;

function addNodes(
  space: AddressSpace,
  nodes: readonly OpcuaNode[],
): Map<string, { node: Variable; type: Kind }> {
  const plant = space.registerNamespace("urn:sterna:demo:plant");
  const variables = new Map<string, { node: Variable; type: Kind }>();
  for (const { nodeId, name, unit, range, type = "Double" } of nodes) {
    const namespace = nodeId.startsWith(`ns=${plant.index};`) ? plant : space.getOwnNamespace();
    const common = {
      organizedBy: space.rootFolder.objects,
      nodeId,
      browseName: name,
      dataType: type,
      // Every write is news, as with a controller that scans.
      minimumSamplingInterval: 0,
    };
    const node =
      unit === null
        ? namespace.addVariable(common)
        : namespace.addAnalogDataItem({
            ...common,
            engineeringUnitsRange: { low: range[0], high: range[1] },
            engineeringUnits: { namespaceUri: UNECE, ...unit },
          });
    variables.set(nodeId, { node, type });
  }
  return variables;
}

function kindOf(ua: typeof import("node-opcua-client"), value: OpcuaValue, type: Kind) {
  const { DataType, VariantArrayType } = ua;
  const arrayType =
    value instanceof Float64Array ? VariantArrayType.Array : VariantArrayType.Scalar;
  return { dataType: DataType[type], arrayType };
}

/**
 * The library cannot listen on port 0. Below the ports that the kernel gives to outgoing connections
 * (from 32768), so that none of these takes it in the gap until somebody listens.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false));
      probe.listen(port, HOST, () => resolve(true));
    });
    if (!free) continue;
    await new Promise<void>((resolve) => probe.close(() => resolve()));
    return port;
  }
}

//! Physical constants in SI, each with its source. What depends on a machine does not belong here.

/** Standard gravity, m/s2. Exact: 3rd CGPM, 1901. */
export const G0 = 9.80665;
/** Molar gas constant, J/(mol.K). Exact: SI 2019 (k * N_A). */
export const R_MOLAR = 8.314462618;
/** Stefan-Boltzmann constant, W/(m2.K4). CODATA 2018, exact in SI 2019. */
export const STEFAN_BOLTZMANN = 5.670374419e-8;
/** Zero of the Celsius scale, K. Exact by definition. */
export const CELSIUS_ZERO = 273.15;

/** Sea-level pressure, Pa. ISO 2533:1975 (ISA). */
export const ISA_P0 = 101325;
/** Sea-level temperature, K. ISO 2533:1975. */
export const ISA_T0 = 288.15;
/** Temperature gradient of the troposphere, K/m (temperature falls). ISO 2533:1975. */
export const ISA_LAPSE = 0.0065;
/** Specific gas constant of dry air, J/(kg.K). ISO 2533:1975. */
export const R_AIR = 287.05287;
/** Sea-level density, kg/m3. ISO 2533:1975. */
export const ISA_RHO0 = 1.225;

/** Heat capacity of dry air at constant pressure near 300 K, J/(kg.K). Incropera, table A.4. */
export const CP_AIR = 1005;
/** Ratio of heat capacities of dry air, -. ISO 2533:1975. */
export const GAMMA_AIR = 1.4;

/** Greatest share of wind power a rotor can take, -. Betz 1920: 16/27. */
export const BETZ_MAX = 16 / 27;

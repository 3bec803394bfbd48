//! Common codes of UNECE Recommendation 20 (rev. 17), the unitId of OPC UA: what each stands for as
//! an amount in our own dialect (`CODE unit` or `CODE number unit`), or why it is refused.
//! Factors are those of SI and of the 1959 yard and pound; where a code names an old measured value
//! (a mercury column at 60 degF), UNECE's own. Loaded only by a source that meets such codes.
// tidy: one table, kept whole
/** Codes that stand for a unit. */
export const BOUND = `
  22 dL/g; 23 g/cm3; 25 g/cm2; 28 kg/m2; 2A rad/s; 2B rad/s2; 2C 0.000258 C/kg; 2G V; 2H V
  2I [Btu_IT]/h; 2J cm3/s; 2K ft3/h; 2L ft3/min; 2M cm/s; 2P kBy; 2Q kBq; 2R 37000000000000 Bq
  2U Mg; 2X m/min; 2Y 2.58e-7 C/kg; 2Z mV; 33 kPa.m2/g; 34 kPa/mm; 35 mL/cm2/s; 36 ft3/min/ft2
  37 [oz_av]/ft2; 3B MJ; 3H kg/kg; 40 mL/s; 41 mL/min; 4C cSt; 4G uL; 4H um; 4K mA; 4L MBy
  4M mg/h; 4N MBq; 4O uF; 4P N/m; 4Q [oz_av].in; 4R [oz_av].ft; 4T pF; 4U lb/h; 4W [ston_av]/h
  4X kL/h; 59 [ppm]; 5A [bbl_us]/min; 60 %; 61 [ppb]; 66 79.5774715459477 A/m; 74 mPa
  76 0.0001 T; 77 0.001 in; 78 0.1 T; 81 H; 84 1000 lbf/in2; 85 ft.lbf; 87 lb/ft3; 89 P; 91 St
  A1 4.1858 J; A10 A.m2/J/s; A11 1e-10 m; A12 149597870700 m; A13 aJ; A14 1e-28 m2
  A15 1e-28 m2/eV; A16 1e-28 m2/sr/eV; A17 1e-28 m2/sr; A18 Bq/kg; A19 Bq/m3; A2 A/cm
  A20 [Btu_IT]/s/ft2/[degR]; A21 [Btu_IT]/lb/[degR]; A22 [Btu_IT]/s/ft/[degR]
  A23 [Btu_IT]/h/ft2/[degR]; A24 cd/m2; A25 735.49875 W; A26 C.m; A27 C.m2/V; A28 C/cm3
  A29 C/m3; A3 A/mm; A30 C/mm3; A31 C/kg/s; A32 C/mol; A33 C/cm2; A34 C/m2; A35 C/mm2
  A36 cm3/mol; A37 dm3/mol; A38 m3/C; A39 m3/kg; A4 A/cm2; A40 m3/mol; A41 A/m2
  A42 37000000000 Bq/kg; A44 daL; A45 dam; A47 1e-7 kg/m; A48 [degR]
  A49 1.11111111111111e-7 kg/m; A5 A.m2; A50 dyn.s/cm3; A51 dyn.s/cm; A52 dyn.s/cm5; A53 eV
  A54 eV/m; A55 eV.m2; A56 eV.m2/kg; A57 erg; A58 erg/cm; A59 0.125 1; A6 A/m2/K2; A60 erg/cm3
  A61 erg/g; A62 erg/g/s; A63 erg/s; A64 0.001 W/m2; A65 erg/cm2/s; A66 erg.cm2; A67 erg.cm2/g
  A68 EJ; A69 F/m; A7 A/mm2; A70 fJ; A71 fm; A73 ft/s2; A74 ft.lbf/s; A76 0.01 m/s2; A8 A.s
  A84 GC/m3; A85 GeV; A86 GHz; A87 GOhm; A88 GOhm.m; A89 GPa; A90 GW; A91 gon; A93 g/m3
  A94 g/mol; A95 Gy; A96 Gy/s; A97 hPa; A98 H/m; A99 bit; ACR 4046.8564224 m2; AD By; AE A/m
  AK 6 ft; AMH A.h; AMP A; ANN a; APZ 0.0311034768 kg; ARE ar; ATM atm; ATT att; AZ [Btu_IT]/lb
  B1 [bbl_us]/d; B10 bit/s; B11 J/kg/K; B12 J/m; B13 J/m2; B14 J/m4; B15 J/mol; B16 J/mol/K
  B18 J.s; B20 J.m2/kg; B21 K/W; B22 kA; B23 kA/m2; B24 kA/m; B25 kBq/kg; B26 kC; B27 kC/m3
  B28 kC/m2; B29 keV; B30 Gibit; B31 kg.m/s; B32 kg.m2; B33 kg.m2/s; B34 kg/dm3; B35 kg/L
  B36 cal/g; B37 kgf; B38 kgf.m; B39 kgf.m/s; B40 kgf/m2; B41 kJ/K; B42 kJ/kg; B43 kJ/kg/K
  B44 kJ/mol; B45 kmol; B46 kmol/m3; B47 kN; B48 kN.m; B49 kOhm; B50 kOhm.m; B51 9.80665 N
  B52 ks; B53 kS; B54 kS/m; B55 kV/m; B56 kWb/m; B57 9.4607304725808e15 m; B58 L/mol; B59 lm.h
  B60 lm/m2; B61 lm/W; B62 lm.s; B63 lx.h; B64 lx.s; B65 1e-8 Wb; B66 MA/m2; B67 MBq/kg
  B68 Gbit; B69 MC/m3; B70 MC/m2; B71 MeV; B72 Mg/m3; B73 MN; B74 MN.m; B75 MOhm; B76 MOhm.m
  B77 MS/m; B78 MV; B79 MV/m; B8 J/m3; B80 Gbit/s; B81 /m2/s; B83 m4; B84 uA; B85 ubar; B86 uC
  B87 uC/m3; B88 uC/m2; B89 uF/m; B90 uH; B91 uH/m; B92 uN; B93 uN.m; B94 uOhm; B95 uOhm.m
  B96 uPa; B97 urad; B98 us; B99 uS; BAR bar; BFT 144 [cin_i]; BHP 745.7 W; BIL 1000000000000 1
  BLD 0.115628198985075 m3; BLL [bbl_us]; BPM /min; BQL Bq; BTU [Btu_IT]
  BUA 0.03523907016688 m3; BUI 0.03636872 m3; C10 mF; C11 1e-5 m/s2; C12 mg/m; C13 mGy; C14 mH
  C15 mJ; C16 mm/s; C17 mm2/s; C18 mmol; C19 mol/kg; C20 mN; C21 Kibit; C22 mN/m; C23 mOhm.m
  C24 mPa.s; C25 mrad; C26 ms; C27 mS; C28 mSv; C29 mT; C3 uV/m; C30 mV/m; C31 mW; C32 mW/m2
  C33 mWb; C34 mol; C35 mol/dm3; C36 mol/m3; C37 kbit; C38 mol/L; C39 nA; C40 nC; C41 nF
  C42 nF/m; C43 nH; C44 nH/m; C45 nm; C46 nOhm.m; C47 ns; C48 nT; C49 nW; C52 pm; C53 N.m.s
  C54 N.m2/kg2; C55 N/m2; C56 N/mm2; C57 N.s; C58 N.s/m; C60 Ohm.cm; C61 Ohm.m; C62 1
  C63 3.08567758149137e16 m; C64 Pa/K; C65 Pa.s; C66 Pa.s/m3; C67 Pa.s/m; C68 PJ; C7 cP; C70 pA
  C71 pC; C72 pF/m; C73 pH; C74 kbit/s; C75 pW; C76 pW/m2; C78 lbf; C79 kV.A.h; C8 mC/kg
  C80 0.01 Gy; C81 rad; C82 rad.m2/mol; C83 rad.m2/kg; C84 rad/m; C85 10000000000 /m; C86 /m3
  C87 /m3/s; C88 /eV/m3; C89 /H; C90 /J/m3; C91 /K; C92 /m; C93 /m2; C94 /min; C95 /mol; C96 /Pa
  C97 /s; C98 /s/m3; C99 /s/m2; CDL cd; CEL Cel; CEN 100 1; CGM cg; CKG C/kg; CLT cL; CMK cm2
  CMQ cm3; CMT cm; CNT 100 lb; COU C; CTM 0.0002 kg; CUR 37000000000 Bq; CWA 100 lb; CWI 112 lb
  D03 kWh/h; D1 /s/sr; D10 S/m; D11 Mibit; D12 S.m2/mol; D13 Sv; D16 cm2/erg; D17 cm2/sr/erg
  D18 m.K; D19 m2.K/W; D2 /s/m2/sr; D20 m2/J; D21 m2/kg; D22 m2/mol; D24 m2/sr; D25 m2/sr/J
  D26 m2/V/s; D27 sr; D29 THz; D30 TJ; D31 TW; D32 TW.h; D33 T; D34 1e-6 kg/m; D35 cal; D36 Mbit
  D37 cal/g/K; D38 cal/s/cm/K; D39 cal/s/cm2/K; D41 t/m3; D42 31556925.216 s
  D43 1.6605390666e-27 kg; D44 V.A; D45 V2/K2; D46 V.A; D47 V/cm; D48 V/K; D49 mV/K; D5 kg/cm2
  D50 V/m; D51 V/mm; D52 W/K; D53 W/m/K; D54 W/m2; D55 W/m2/K; D56 W/m2/K4; D57 W/sr
  D58 W/m2/sr; D59 Wb/m; D6 0.000258 C/kg/s; D60 Wb/mm; D61 '; D62 ''; D69 in4; D70 cal_IT
  D71 cal_IT/s/cm/K; D72 cal_IT/s/cm2/K; D73 J.m2; D74 kg/mol; D75 cal_IT/g; D76 cal_IT/g/K
  D77 MC; D78 MJ/s; D80 uW; D81 uT; D82 uV; D83 mN.m; D85 uW/m2; D86 mC; D87 mmol/kg; D88 mC/m3
  D89 mC/m2; D9 dyn/cm2; D91 0.01 Sv; D93 s/m3; D94 s/m3/rad; D95 J/g; DAA daar; DAD 10 d; DAY d
  DD deg; DG dg; DJ dag; DLT dL; DMA dam3; DMK dm2; DMQ dm3; DMT dm; DN dN.m
  DRA 0.0017718451953125 kg; DRI 0.0038879346 kg; DTN dt; DU dyn; DWT 0.00155517384 kg
  DX dyn/cm; DZN 12 1; E01 N/cm2; E07 MWh/h; E08 MW/Hz; E09 mA.h; E10 K.d; E11 1000000000 cal_IT
  E14 kcal_IT; E15 kcal/h; E16 1000000 [Btu_IT]/h; E17 ft3/s; E18 t/h; E19 3.305 m2; E20 Mbit/s
  E31 m2/L; E32 L/h; E33 0.001 ft; E34 GBy; E35 TBy; E36 PBy; E39 /in; E40 1e-5 1; E41 kgf/mm2
  E42 kgf/cm2; E43 J/cm2; E44 kgf.m/cm2; E45 mOhm; E46 kWh/m3; E47 kWh/K; E58 Ebit/s
  E59 9.22337203685478e18 bit; E60 9.00719925474099e15 bit; E61 TiBy; E62 GiBy; E63 MiBy
  E64 KiBy; E65 1.15292150460685e18 bit/m; E66 1.15292150460685e18 bit/m2
  E67 1.15292150460685e18 bit/m3; E68 GBy/s; E69 Gibit/m; E70 Gibit/m2; E71 Gibit/m3
  E72 Kibit/m; E73 Kibit/m2; E74 Kibit/m3; E75 Mibit/m; E76 Mibit/m2; E77 Mibit/m3; E78 Pbit
  E79 Pbit/s; E80 1.12589990684262e15 bit/m; E81 1.12589990684262e15 bit/m2
  E82 1.12589990684262e15 bit/m3; E83 Tbit; E84 Tbit/s; E85 Tibit/m; E86 Tibit/m3; E87 Tibit/m2
  E88 bit/m; E89 bit/m2; E90 /cm; E91 /d; E92 dm3/h; E93 kg/h; E94 kmol/s; E95 mol/s; E96 deg/s
  E97 mm/Cel/m; E98 Cel/K; E99 hPa/bar; F01 bit/m3; F02 K/K; F03 kPa/bar; F04 mbar/bar
  F05 MPa/bar; F06 P/bar; F07 Pa/bar; F08 mA/in; F10 K/h; F11 K/min; F12 K/s
  F13 14.5939029372064 kg; F14 g/K; F15 kg/K; F16 mg/K; F17 1000 lbf/ft; F18 kg.cm2; F19 kg.mm2
  F20 lb.in2; F21 lbf.in; F22 1000 lbf.ft/A; F23 g/dm3; F24 kg/kmol; F25 g/Hz; F26 g/d; F27 g/h
  F28 g/min; F29 g/s; F30 kg/d; F31 kg/min; F32 mg/d; F33 mg/min; F34 mg/s; F35 g/d/K; F36 g/h/K
  F37 g/min/K; F38 g/s/K; F39 kg/d/K; F40 kg/h/K; F41 kg/min/K; F42 kg/s/K; F43 mg/d/K
  F44 mg/h/K; F45 mg/min/K; F46 mg/s/K; F47 N/mm; F48 lbf/in; F49 5.0292 m; F50 um/K; F51 cm/K
  F52 m/K; F53 mm/K; F54 mOhm/m; F55 Ohm/[mi_i]; F56 Ohm/km; F57 mA.in2/lbf; F58 /bar
  F59 mA/bar; F60 Cel/bar; F61 K/bar; F62 g/d/bar; F63 g/h/bar; F64 g/min/bar; F65 g/s/bar
  F66 kg/d/bar; F67 kg/h/bar; F68 kg/min/bar; F69 kg/s/bar; F70 mg/d/bar; F71 mg/h/bar
  F72 mg/min/bar; F73 mg/s/bar; F74 g/bar; F75 mg/bar; F76 mA/mm; F77 Pa.s/K; F78 [in_i'H2O]
  F79 3386.389 Pa; F80 746.043 W; F81 bar/K; F82 hPa/K; F83 kPa/K; F84 mbar/K; F85 MPa/K
  F86 P/K; F87 V/L/min; F88 N.cm; F89 N.m/deg; F90 N.m/A; F91 bar.L/s; F92 bar.m3/s; F93 hPa.L/s
  F94 hPa.m3/s; F95 mbar.L/s; F96 mbar.m3/s; F97 MPa.L/s; F98 MPa.m3/s; F99 Pa.L/s; FAH degF
  FAR F; FC 1000 [cft_i]; FF 100 m3; FH umol; FIT 1e-9 /h; FOT ft; FP lb/ft2; FR ft/min; FS ft/s
  FTK ft2; FTQ ft3; G01 Pa.m3/s; G04 cm/bar; G05 m/bar; G06 mm/bar; G08 in2/s; G09 m2/s/K
  G10 St/K; G11 g/cm3/bar; G12 g/dm3/bar; G13 g/L/bar; G14 g/m3/bar; G15 g/mL/bar
  G16 kg/cm3/bar; G17 kg/L/bar; G18 kg/m3/bar; G19 N.m/kg; G2 [gal_us]/min; G20 1000 lbf.ft/lb
  G21 0.0002365882365 m3; G23 0.00880976754172 m3; G24 1.478676478125e-5 m3
  G25 4.92892159375e-6 m3; G26 m3; G27 cm3/K; G28 L/K; G29 m3/K; G3 [gal_br]/min; G30 mL/K
  G31 kg/cm3; G32 [oz_av]/[yd_i]3; G33 g/cm3/K; G34 g/dm3/K; G35 g/L/K; G36 g/m3/K; G37 g/mL/K
  G38 kg/cm3/K; G39 kg/L/K; G40 kg/m3/K; G41 m2/s/bar; G42 uS/cm; G43 uS/m; G44 nS/cm; G45 nS/m
  G46 St/bar; G47 cm3/d; G48 cm3/h; G49 cm3/min; G50 [gal_us]/h; G51 L/s; G52 m3/d; G53 m3/min
  G54 mL/d; G55 mL/h; G56 in3/h; G57 in3/min; G58 in3/s; G59 mA/L/min; G60 V/bar; G61 cm3/d/K
  G62 cm3/h/K; G63 cm3/min/K; G64 cm3/s/K; G65 L/d/K; G66 L/h/K; G67 L/min/K; G68 L/s/K
  G69 m3/d/K; G70 m3/h/K; G71 m3/min/K; G72 m3/s/K; G73 mL/d/K; G74 mL/h/K; G75 mL/min/K
  G76 mL/s/K; G77 mm4; G78 cm3/d/bar; G79 cm3/h/bar; G80 cm3/min/bar; G81 cm3/s/bar; G82 L/d/bar
  G83 L/h/bar; G84 L/min/bar; G85 L/s/bar; G86 m3/d/bar; G87 m3/h/bar; G88 m3/min/bar
  G89 m3/s/bar; G90 mL/d/bar; G91 mL/h/bar; G92 mL/min/bar; G93 mL/s/bar; G94 cm3/bar; G95 L/bar
  G96 m3/bar; G97 mL/bar; G98 uH/kOhm; G99 uH/Ohm; GB [gal_us]/d; GBQ GBq; GE lb/[gal_us]
  GF g/m; GGR 1728 1; GIA 0.00011829411825 m3; GII 0.0001420653125 m3; GJ g/mL; GK g/kg; GL g/L
  GLD 0.00440488377086 m3; GLI [gal_br]; GLL [gal_us]; GM g/m2; GO mg/m2; GP mg/m3; GQ ug/m3
  GRM g; GRN 6.479891e-5 kg; GRO 144 1; GV GJ; GWH GW.h; H03 H/kOhm; H04 H/Ohm; H05 mH/kOhm
  H06 mH/Ohm; H07 Pa.s/bar; H08 uBq; H09 /a; H10 /h; H11 /mo; H12 Cel/h; H13 Cel/min; H14 Cel/s
  H15 cm2/g; H16 dam2; H18 hm2; H19 hm3; H20 km3; H22 V.in2/lbf; H23 V/in; H24 V/us; H25 %/K
  H26 Ohm/m; H27 deg/m; H28 uF/km; H29 ug/L; H30 um2; H31 A/kg; H32 A2.s; H33 F/km; H34 Hz.m
  H35 K.m/W; H36 MOhm/km; H37 MOhm/m; H38 MA; H39 MHz.m; H40 N/A; H42 Pa/m; H43 S/cm; H44 TOhm
  H45 V.s/m; H46 V/s; H47 W/m3; H48 aF; H49 cm/h; H50 /cm3; H53 kg/bar; H54 kg/dm3/K
  H55 kg/dm3/bar; H56 kg/m2/s; H58 m/V/s; H59 m2/N; H60 m3/m3; H61 mS/cm; H62 mV/min; H63 mg/cm2
  H64 mg/g; H65 mL/m3; H66 mm/a; H67 mm/h; H68 mmol/g; H69 pPa/km; H70 ps; H71 %/mo; H72 %/hbar
  H73 %/daK; H74 W/m; H75 daPa; H76 g/mm; H78 cm[H2O]; H79 0.000333333333333333 m; H80 44.45 mm
  H81 mm/min; H82 0.000352777777777778 m; H83 L/kg; H84 g.mm; H85 /wk; H88 MOhm.km; H89 %/Ohm
  H90 %/deg; H91 1e-6 1; H92 1e-7 1; H93 0.0001 1; H94 1e-5 1; H95 %/V; H96 %/bar; H98 %/in
  H99 %/m; HAR har; HBA hbar; HGM hg; HH 100 ft3; HJ 735.49875 W; HLT hL; HM [mi_i]/h
  HMQ 1000000 m3; HMT hm; HN 133.3224 Pa; HP mm[H2O]; HTZ Hz; HUR h; IA lb.in; INH in; INK in2
  INQ in3; IU in/s; IV in/s2; J10 %/mm; J12 [ppth]/psi; J19 0.000948451414753297 degF.h.ft2/J
  J2 J/kg; J20 degF/K; J21 degF/bar; J22 degF.h.ft2/[Btu_IT]; J23 degF/h; J24 degF/min
  J25 degF/s; J26 /degF; J28 [degR]/h; J29 [degR]/min; J30 [degR]/s; J32 uP; J33 ug/kg
  J34 ug/m3/K; J35 ug/m3/bar; J36 uL/L; J38 Bd; J39 1055.87 J; J40 [Btu_IT].ft/ft2/h/degF
  J41 [Btu_IT].in/ft2/h/degF; J42 [Btu_IT].in/ft2/s/degF; J43 [Btu_IT]/lbf/degF
  J44 [Btu_IT]/min; J45 [Btu_IT]/s; J46 1054.35026448889 J.ft/h/ft2/degF
  J47 1054.35026448889 J/h; J48 1054.35026448889 J.in/ft2/h/degF; J49 518.873167815854 W/m/K
  J50 1054.35026448889 J/lb/degF; J51 1054.35026448889 J/min; J52 1054.35026448889 J/s
  J53 C.m2/kg; J54 MBd; J55 W.s; J56 bar/bar; J57 0.15911315 m3; J58 0.15911315 m3/min
  J59 0.15911315 m3/d; J60 0.15911315 m3/h; J61 0.15911315 m3/s; J62 [bbl_us]/h; J63 bit
  J64 0.03636872 m3/d; J65 0.03636872 m3/h; J66 0.03636872 m3/min; J67 0.03636872 m3/s
  J68 0.03523907016688 m3/d; J69 0.03523907016688 m3/h; J70 0.03523907016688 m3/min
  J71 0.03523907016688 m3/s; J72 cN.m; J73 cP/K; J74 cP/bar; J75 4.19002 J; J76 cal_IT/g/Cel
  J78 cal/cm/s/Cel; J79 cal/g/Cel; J81 cal/min; J82 cal/s; J83 0.155 m2.K/W; J84 cm/s/K
  J85 cm/s/bar; J87 cm3/m3; J89 1333.224 Pa; J90 dm3/d; J91 dm3/m3; J92 dm3/min; J93 dm3/s
  J94 dyn.cm; J95 2.84130625e-5 m3/d; J96 2.84130625e-5 m3/h; J97 2.84130625e-5 m3/min
  J98 2.84130625e-5 m3/s; J99 2.95735295625e-5 m3/d; JE J/K; JK MJ/kg; JM MJ/m3; JOU J
  JPS 100 m; K10 2.95735295625e-5 m3/h; K11 2.95735295625e-5 m3/min; K12 2.95735295625e-5 m3/s
  K13 ft/degF; K14 ft/h; K15 ft.lbf/h; K16 ft.lbf/min; K17 ft/psi; K18 ft/s/degF; K19 ft/s/psi
  K20 /ft3; K21 ft3/degF; K22 ft3/d; K23 ft3/psi; K24 2989.06692 Pa; K25 40636.66 Pa
  K26 [gal_br]/d; K27 [gal_br]/h; K28 [gal_br]/s; K3 kV.A.h; K30 [gal_us]/s; K31 gf/cm2
  K32 0.0001420653125 m3/d; K33 0.0001420653125 m3/h; K34 0.0001420653125 m3/min
  K35 0.0001420653125 m3/s; K36 0.00011829411825 m3/d; K37 0.00011829411825 m3/h
  K38 0.00011829411825 m3/min; K39 0.00011829411825 m3/s; K40 [g]; K41 6.479891e-5 kg/[gal_us]
  K42 9809.5 W; K43 [HP]; K45 in/degF; K46 in/psi; K47 in/s/degF; K48 in/s/psi; K49 /in3
  K5 kvar; K50 kBd; K51 4190.02 J; K52 kcal_IT/h/m/Cel; K53 kcal; K54 kcal/min; K55 kcal/s
  K58 kmol/h; K59 kmol/m3/K; K6 kL; K60 kmol/m3/bar; K61 kmol/min; K62 L/L; K63 /L; K64 lb/degF
  K65 lb.ft2; K66 lb/d; K67 lb/ft/h; K68 lb/ft/s; K69 lb/ft3/degF; K70 lb/ft3/psi
  K71 lb/[gal_br]; K73 lb/h/degF; K74 lb/h/psi; K75 lb/in3/degF; K76 lb/in3/psi; K77 lb/psi
  K78 lb/min; K79 lb/min/degF; K80 lb/min/psi; K81 lb/s; K82 lb/s/degF; K83 lb/s/psi
  K84 lb/[yd_i]3; K85 lbf/ft2; K86 lbf/in2/degF; K87 psi.in3/s; K88 psi.L/s; K89 psi.m3/s
  K90 psi.[yd_i]3/s; K91 lbf.s/ft2; K92 lbf.s/in2; K93 /psi; K94 0.0011365225 m3/d
  K95 0.0011365225 m3/h; K96 0.0011365225 m3/min; K97 0.0011365225 m3/s; K98 0.000946352946 m3/d
  K99 0.000946352946 m3/h; KAT kat; KBA kbar; KEL K; KGM kg; KGS kg/s; KHZ kHz; KI kg/mm; KJO kJ
  KL kg/m; KLX klx; KMH km/h; KMK km2; KMQ kg/m3; KMT km; KNM kN/m2; KNT [kn_i]; KPA kPa
  KR 0.258 C/kg; KTN kt; KVA kV.A; KVR kV.A; KVT kV; KW kg/mm; KWH kW.h; KWT kW; KWY kW.a
  KX mL/kg; L10 0.000946352946 m3/min; L11 0.000946352946 m3/s; L12 m/s/K; L13 m/s/bar
  L14 m2.h.Cel/kcal_IT; L15 mPa.s/K; L16 mPa.s/bar; L17 mg/m3/K; L18 mg/m3/bar; L19 mL/L
  L2 L/min; L20 /mm3; L21 mm3/m3; L23 mol/h; L24 mol/kg/K; L25 mol/kg/bar; L26 mol/L/K
  L27 mol/L/bar; L28 mol/m3/K; L29 mol/m3/bar; L30 mol/min; L31 1e-5 Sv; L32 ng/kg
  L33 [oz_av]/d; L34 [oz_av]/h; L35 [oz_av]/min; L36 [oz_av]/s; L37 [oz_av]/[gal_br]
  L38 [oz_av]/[gal_us]; L39 [oz_av]/in3; L40 0.278013850953781 N; L41 0.278013850953781 N.in
  L42 pS/m; L43 0.00909218 m3; L44 0.00909218 m3/d; L45 0.00909218 m3/h; L46 0.00909218 m3/min
  L47 0.00909218 m3/s; L48 0.00880976754172 m3/d; L49 0.00880976754172 m3/h
  L50 0.00880976754172 m3/min; L51 0.00880976754172 m3/s; L52 psi/psi; L53 0.00056826125 m3/d
  L54 0.00056826125 m3/h; L55 0.00056826125 m3/min; L56 0.00056826125 m3/s
  L57 0.000473176473 m3/d; L58 0.000473176473 m3/h; L59 0.000473176473 m3/min
  L60 0.000473176473 m3/s; L61 0.0005506104713575 m3; L62 0.001101220942715 m3
  L63 14.5939029372064 kg/d; L64 47.8802589803358 Pa.s; L65 515.378818393196 kg/m3
  L66 14.5939029372064 kg/h; L67 14.5939029372064 kg/min; L68 14.5939029372064 kg/s; L69 t/K
  L70 t/bar; L71 t/d; L72 t/d/K; L73 t/d/bar; L74 t/h/K; L75 t/h/bar; L76 t/m3/K; L77 t/m3/bar
  L78 t/min; L79 t/min/K; L80 t/min/bar; L81 t/s; L82 t/s/K; L83 t/s/bar; L84 1.1893 m3
  L85 [lton_av]/d; L86 1.1326 m3; L87 [ston_av]/degF; L88 [ston_av]/d; L89 [ston_av]/h/degF
  L90 [ston_av]/h/psi; L91 [ston_av]/psi; L92 [lton_av]/[yd_i]3; L93 [ston_av]/[yd_i]3
  L94 2000 lbf; L95 365 d; L96 31558149.7632 s; L98 [yd_i]/degF; L99 [yd_i]/psi; LA lb/in3
  LBR lb; LBT 0.3732417216 kg; LD L/d; LF ft; LM m; LTN [lton_av]; LTR L; LUM lm; LUX lx
  M1 mg/L; M10 /[yd_i]3; M11 [yd_i]3/degF; M12 [yd_i]3/d; M13 [yd_i]3/h; M14 [yd_i]3/psi
  M15 [yd_i]3/min; M16 [yd_i]3/s; M17 kHz.m; M18 GHz.m; M20 /MK; M21 /kVA/h; M22 mL/cm2/min
  M23 N/cm; M24 Ohm.km; M25 %/Cel; M26 GOhm/m; M27 MHz.m; M29 kg/kg; M30 /VA/s; M31 kg/km
  M32 Pa.s/L; M33 mmol/L; M34 N.m/m2; M35 mV.A; M36 30 d; M37 360 d; M38 km/s2; M39 cm/s2
  M40 [yd_i]/s2; M41 mm/s2; M42 1609.34721869444 m/s2; M43 0.00098174770424681 rad; M44 r
  M45 deg/s2; M46 r/min; M47 5.06707479097498e-10 m2; M48 [mi_i]2; M49 20.1168402336805 m
  M5 37000 Bq; M50 201.168 m; M51 0.304800609601219 m; M52 1609.34721869444 m; M53 m/Pa
  M55 m/rad; M56 10 ns; M57 [mi_i]/min; M58 [mi_i]/s; M59 m/s/Pa; M60 m/h; M61 in/a; M62 km/s
  M63 in/min; M64 [yd_i]/s; M65 [yd_i]/min; M66 [yd_i]/h; M67 1233.4892384681 m3
  M68 3.624556363776 m3; M69 [mi_i]3; M7 1e-6 in; M70 100 [cft_i]; M71 m3/Pa; M73 kg/m3/Pa
  M74 kg/Pa; M75 1000 lbf; M76 lb.ft/s2; M77 kg.m/s2; M78 0.00980665 N; M79 ft2/h; M80 St/Pa
  M81 cm2/s; M82 m2/s/Pa; M83 1.11111111111111e-7 kg/m; M84 lb/[yd_i]; M85 0.029166667 kg
  M86 0.5 kg; M87 kg/s/Pa; M88 t/mo; M89 t/a; M9 1000 [Btu_IT]/ft3; M90 1000 lb/h; M91 lb/lb
  M92 lbf.ft; M93 N.m/rad; M94 kg.m; M95 lb.ft.ft/s2; M96 lb.ft.in/s2; M97 dyn.m; M98 kg.cm/s
  M99 g.cm/s; MAH MV.A.h; MAL ML; MAM Mm; MAR MV.A; MAW MW; MBR mbar; MC ug; MCU 37000000 Bq
  MGM mg; MHZ MHz; MIK [mi_i]2; MIL 1000 1; MIN min; MIO 1000000 1; MLD 1000000000 1; MLT mL
  MMK mm2; MMQ mm3; MMT mm; MON 2629746 s; MPA MPa; MQH m3/h; MQS m3/s; MSK m/s2; MTK m2; MTQ m3
  MTR m; MTS m/s; MTZ mHz; MVA MV.A; MWH MW.h; N10 lb.ft/s; N11 lb.in/s; N12 735.49875 W
  N13 1333.22 Pa; N14 98.0638 Pa; N15 2988.98 Pa; N16 3386.38 Pa; N17 3376.85 Pa; N18 249.082 Pa
  N19 248.84 Pa; N20 1000 lbf/in2; N21 lb.ft/s2/ft2; N22 [oz_av]/in2; N23 m[H2O]; N24 g/mm2
  N25 lb/[yd_i]2; N26 lb.ft/s2/in2; N27 ft4; N28 dm3/kg; N29 ft3/lb; N3 0.0003514598 m
  N30 in3/lb; N31 kN/m; N32 lb.ft/s2/in; N33 lbf/[yd_i]; N34 1.48816394356955 Pa.s; N35 P/Pa
  N36 N.s/m2; N37 kg/m/s; N38 kg/m/min; N39 kg/m/d; N40 kg/m/h; N41 g/cm/s; N42 lb.ft.s/s2/in2
  N43 lb/ft/min; N44 lb/ft/d; N45 m3/s/Pa; N46 ft.lb.ft/s2; N47 in.lb.ft/s2; N48 W/cm2
  N49 W/in2; N50 [Btu_IT]/ft2/h; N51 1054.35026448889 J/ft2/h; N52 1054.35026448889 J/ft2/min
  N53 [Btu_IT]/ft2/s; N54 1054.35026448889 J/ft2/s; N55 [Btu_IT]/in2/s; N56 cal/cm2/min
  N57 cal/cm2/s; N58 [Btu_IT]/ft3; N59 1054.35026448889 J/ft3; N60 [Btu_IT]/degF
  N61 1054.35026448889 J/degF; N62 [Btu_IT]/[degR]; N63 1054.35026448889 J/[degR]
  N64 1054.35026448889 J/lb/[degR]; N65 kcal_IT/g/K; N66 1059.67 J; N67 1054.8 J; N68 1054.68 J
  N69 4.1819 J; N70 1e15 [Btu_IT]; N71 100000 [Btu_IT]; N72 105480400 J
  N73 1054.35026448889 J/lb; N74 [Btu_IT]/h/ft2/degF; N75 1054.35026448889 J/h/ft2/degF
  N76 [Btu_IT]/ft2/s/degF; N77 1054.35026448889 J/s/ft2/degF; N78 kW/m2/K; N79 K/Pa; N80 W/m/Cel
  N81 kW/m/K; N82 kW/m/Cel; N83 m/Cel/m; N84 degF.h/[Btu_IT]; N85 0.000948451414753297 degF.h/J
  N86 degF.s/[Btu_IT]; N87 0.000948451414753297 degF.s/J; N88 degF.h.ft2/[Btu_IT]/in
  N89 0.000948451414753297 degF.h.ft2/J/in; N90 kF; N91 /J; N92 pS; N93 A/Pa
  N94 3.33564095198152e-10 C; N95 A.min; N96 10 A; N97 0.795774715459477 A; N98 V/Pa; N99 pV
  NA mg/kg; NEW N; NMI [nmi_i]; NQ mho; NR umho; NU N.m; NX [ppth]; OHM Ohm; ON [oz_av]/[yd_i]2
  ONZ [oz_av]; OPM /min; OZA 2.95735295625e-5 m3; OZI 2.84130625e-5 m3; P1 %; P10 C/m; P11 kWb
  P12 nT; P13 kT; P14 J/s; P15 J/min; P16 J/h; P17 J/d; P18 kJ/s; P19 kJ/min; P2 lb/ft; P20 kJ/h
  P21 kJ/d; P22 nOhm; P23 1.662426112669e-9 Ohm.m; P24 kH; P25 lm/ft2; P26 10000 lx; P27 lm/ft2
  P28 cd/in2; P29 3.42625909963539 cd/m2; P30 3183.09886183791 cd/m2; P31 10000 cd/m2
  P32 cd/ft2; P33 kcd; P34 mcd; P35 0.903 cd; P36 1.019 cd; P37 [Btu_IT]/ft2
  P38 1054.35026448889 J/ft2; P39 cal/cm2; P40 41840 J/m2; P42 Pa2.s; P44 453.59237 mol
  P45 453.59237 mol/s; P46 453.59237 mol/min; P47 kmol/kg; P48 453.59237 mol/lb; P49 N.m2/A
  P50 Wb.m; P51 mol/kg/Pa; P52 mol/m3/Pa; P53 1.25663706143592e-7 Wb; P54 mGy/s; P55 uGy/s
  P56 nGy/s; P57 Gy/min; P58 mGy/min; P59 uGy/min; P60 nGy/min; P61 Gy/h; P62 mGy/h; P63 uGy/h
  P64 nGy/h; P65 Sv/s; P66 mSv/s; P67 uSv/s; P68 nSv/s; P69 0.01 Sv/s; P70 Sv/h; P71 mSv/h
  P72 uSv/h; P73 nSv/h; P74 Sv/min; P75 mSv/min; P76 uSv/min; P77 nSv/min; P78 /in2
  P79 Pa.m2/kg; P80 mPa/m; P81 kPa/m; P82 hPa/m; P83 atm/m; P84 att/m; P85 133.322368421053 Pa/m
  P86 psi/in; P87 m3/s/m2; P88 10 /Pa/s; P89 lbf.ft/in; P90 lbf.in/in
  P91 5.72135e-11 kg/m2/Pa/s; P92 5.74525e-11 kg/m2/Pa/s; P93 By/s; P94 kBy/s; P95 MBy/s; P96 /V
  P97 /rad; PAL Pa; PO lb/in; PR 2 1; PS lbf/in2; PT 0.000473176473 m3
  PTD 0.0005506104713575 m3; PTI 0.00056826125 m3; PTL 0.000473176473 m3; Q10 J/T; Q12 8 bit
  Q13 8 bit/s; Q20 s/kg; Q21 W.m2; Q22 s/rad/m3; Q23 /Wb; Q24 /in; Q25 /m; Q26 1; Q27 N.m/m
  Q28 kg/m2/Pa/s; Q29 ug/hg; Q31 kJ/g; Q32 fL; Q33 pL; Q34 nL; Q35 MW/min; Q36 m2/m3
  QT 0.000946352946 m3; QTD 0.001101220942715 m3; QTI 0.0011365225 m3; QTL 0.000946352946 m3
  QTR 28 lb; R1 0.004217518 m; R9 1000 m3; RPM r/min; RPS r/s; S3 ft2/s; S4 m2/s; SCO 20 1
  SCR 0.0012959782 kg; SEC s; SIE S; SMI [mi_i]; STI 14 lb; STN [ston_av]; TAH kAh; TI 1000 in2
  TKM t.km; TNE t; TPI /in; TQD 1000 m3/d; TRL 1e18 1; UA 133.322368421053 Pa; VA V.A/kg; VLT V
  WA W/kg; WCD 3.63 m3; WEB Wb; WEE wk; WHR W.h; WSD 4.672 m3; WTT W; X1 20.1168 m; YDK [yd_i]2
  YDQ [yd_i]3; YRD [yd_i]; Z9 nmol
`;

/** Codes that stand for none: the reason, then the codes. */
export const REFUSED: readonly (readonly [why: string, codes: string])[] = [
  ["named a pressure and defined as mass over area: UNECE contradicts itself", `64 80`],
  ["money", `B17 C5 D67 M4`],
  ["a system of units, no unit", `A77 A78 A79 A80 A81 A82 A83`],
  [
    "a volume of gas at a reference state that the code does not tell",
    `5E DMO KWN KWS MNJ NM3 Q37 Q38 Q39 Q40 Q41 Q42 SM3 STL`,
  ],
  [
    "a level: it is logarithmic, and no factor carries it",
    `2N AWG C50 C51 C59 C69 D15 DBM DBW DEC H51 H52 M19 M72 P41 P43 Q14 Q15 Q16 Q17 Q18 Q19 Q30`,
  ],
  [
    "a scale of its own: no factor leads to SI",
    `57 AQ ASM ASU E25 FNU H41 H57 H77 ISD J13 J14 J15 J16 J17 J18 J27 J31 KLK LAC NTU P98 P99 PLA
    Q11 TAN`,
  ],
  [
    "a count, a package or a term of trade: no quantity to measure",
    `10 11 13 14 15 1I 20 21 24 27 38 3C 56 58 5B 5J A43 A75 A9 AA AB ACT AH AI AL AS AY B19 B3 B4
    B7 B82 BB BP C0 C9 CCT CG CLF CNP CTG CTN D04 D23 D63 D65 D68 DB DPC DPR DPT DRL DT DZP E12
    E21 E22 E23 E27 E28 E30 E37 E38 E4 E48 E49 E50 E51 E52 E53 E54 E55 E56 E57 EA EB EQ FBM FL GDW
    GFI GIC GIP GRT GT H21 H87 HA HAD HBX HC HDW HEA HIU HKM HMO HPA HWE IE IUG JNT JWL K1 K2 KA
    KB KCC KDW KHY KIC KIP KJ KMA KNI KNS KO KPH KPO KPP KSD KSH KT KUR KWO LEF LH LK LN LO LP LPA
    LR LS LUB LY MBE MBF MD MIU MKD MKM MKW MND MQD MQM MQW MRD MRM MRW N1 NAR NCL NF NIL NIU NL
    NMP NPR NPT NT NTT OA ODE ODG ODK ODM OT OZ P5 PD PFL PGL PI PQ PTN Q3 QA QAN QB QR RH RM ROM
    RP RT SAN SET SG SHT SQ SQR SR STC STK STW SW SX SYR T0 T3 TIC TIP TMS TP TPR TST TTS U1 U2 UB
    UC VP W2 WB WE WG WM WW Z11 ZP ZZ`,
  ],
  [
    "withdrawn by UNECE",
    `05 06 08 16 17 18 19 1A 1B 1C 1D 1E 1F 1G 1H 1J 1K 1L 1M 1X 26 29 2V 2W 30 31 32 3E 3G 3I 43
    44 45 46 47 48 4A 4B 4E 53 54 5C 5F 5G 5H 5I 5K 5P 5Q 62 63 69 71 72 73 90 92 93 94 95 96 97
    98 AJ AM AP AR AV AW B0 B2 B5 B6 B9 BD BE BG BH BJ BK BL BO BR BT BW BX BZ C1 C2 C4 C6 C77 CA
    CH CJ CK CL CO CQ CR CS CT CU CV CY CZ D14 D28 D40 D64 D66 D7 D79 D8 D90 D92 D96 D97 D98 D99
    DC DE DI DQ DR DRM DS DY E2 E3 E5 EC EP EV F1 F9 FB FD FE FG FM G7 GC GD GH GN GW GY GZ H1 H2
    HD HE HF HI HK HL HO HS HT HY IC IF II IL IM IP IT JB JG JO JR KD KF KG KS KTM LC LE LI LJ LX
    M0 MA MF MK MQ MT MV N2 NB NBB NC ND NE NG NH NI NJ NN NPL NRL NV NY OP P0 P3 P4 P6 P7 P8 P9
    PA PB PE PF PG PK PL PM PN PU PV PW PY PZ QD QH QK R4 RA RD RG RK RL RN RO RS RU S5 S6 S7 S8
    SA SD SE SK SL SN SO SP SS SST ST SV T1 T4 T5 T6 T7 T8 TA TC TD TE TF TJ TK TL TN TQ TR TS TSD
    TSH TT TU TV TW TY UD UE UF UH UM VI VQ VS W4 WH WI WR YL YT Z1 Z2 Z3 Z4 Z5 Z6 Z8`,
  ],
];

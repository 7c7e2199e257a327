/** The part of the package used here: an implementation of UCUM that the server does not use. */
declare module '@lhncbc/ucum-lhc' {
  export const UcumLhcUtils: {
    getInstance(): {
      convertUnitTo(fromUnit: string, value: number, toUnit: string): { status: string; toVal: number | null };
    };
  };
}

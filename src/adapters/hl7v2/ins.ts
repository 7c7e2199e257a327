/** The national identity number (INS) in PID-3: which OID, key, and when it may be kept (reference: RNIV, PAM-FR 2.11). */

/**
 * Control key of a matricule: 97 − (first 13 characters as a number mod 97), Corsica's `2A` and `2B` read as 19 and 18.
 * The month is not checked: values above 12 exist.
 */
export function hasValidKey(matricule: string): boolean {
  const match = /^(\d{5})(\d{2}|2A|2B)(\d{6})(\d{2})$/.exec(matricule.toUpperCase());
  if (!match) return false;
  const [, head, department, tail, key] = match;
  const digits = department === '2A' ? '19' : department === '2B' ? '18' : department;
  return 97 - (Number(`${head}${digits}${tail}`) % 97) === Number(key);
}

/** Whether a value has the form of a matricule with its key: 15 characters. */
export function hasMatriculeForm(value: string): boolean {
  return /^[1-478]\d{4}(\d{2}|2A|2B)\d{8}$/i.test(value);
}

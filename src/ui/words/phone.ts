/** Telephone numbers as they are read aloud. */

/** `06 12 34 56 78`: a number is read aloud two figures at a time. */
export function spacedPhone(phone: string): string {
  const digits = phone.replace(/[\s.-]/g, '');
  return /^0\d{9}$/.test(digits) ? digits.replace(/(\d{2})(?=\d)/g, '$1 ') : phone;
}

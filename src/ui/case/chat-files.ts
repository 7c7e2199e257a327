/** Files somebody attaches to a message: read into what the server takes, or refused in words before anything is sent. */

export interface PickedFile {
  title: string;
  contentType: string;
  /** Base64. */
  data: string;
}

/** As the server says (docs/fhir-conventions.md, "Talking"). */
export const acceptedTypes: readonly string[] = ['application/pdf', 'image/jpeg', 'image/png'];
const largestBytes = 10 * 1024 * 1024;
export const mostFiles = 5;

/** @returns why a file cannot be attached; undefined when it can. */
export function refusalOf(file: Pick<File, 'name' | 'type' | 'size'>): string | undefined {
  if (!acceptedTypes.includes(file.type)) return `« ${file.name} » n’est ni un PDF, ni un JPEG, ni un PNG.`;
  if (file.size > largestBytes) return `« ${file.name} » dépasse 10 Mo.`;
  return undefined;
}

export async function readPicked(file: File): Promise<PickedFile> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  // In pieces: a call with ten million arguments is too much for any browser.
  const piece = 0x8000;
  let text = '';
  for (let at = 0; at < bytes.length; at += piece) text += String.fromCharCode(...bytes.subarray(at, at + piece));
  return { title: file.name.slice(0, 200), contentType: file.type, data: btoa(text) };
}

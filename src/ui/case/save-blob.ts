/** Hands bytes to the browser's own « enregistrer sous ». */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has its own handle on the bytes once the download started.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

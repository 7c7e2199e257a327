/** The part of dcmjs the demonstration uses: it ships no types. */
declare module 'dcmjs' {
  interface DicomFile {
    dict: Record<string, { vr: string; Value: unknown[] }>;
    write(): ArrayBuffer;
  }
  const dcmjs: { data: { DicomMessage: { readFile(content: ArrayBufferLike): DicomFile } } };
  export default dcmjs;
}

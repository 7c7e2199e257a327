/** What a viewer does: asks for the series of a study and loads every frame (QIDO-RS, WADO-RS). */
import type { Caller } from './people.ts';
import { expect } from './steps.ts';

/** Loads what a viewer loads: the series, their metadata, and every frame. Answers the Series Instance UIDs. */
export async function displaySeries(reader: Caller, studyUid: string): Promise<string[]> {
  const json = { accept: 'application/dicom+json' };
  const seriesAnswer = await reader.http(`/dicomweb/studies/${studyUid}/series`, { headers: json });
  expect(seriesAnswer.ok, `QIDO-RS a répondu ${seriesAnswer.status} ${await seriesAnswer.clone().text()}`);
  const series = (await seriesAnswer.json()) as Record<string, { Value?: string[] }>[];
  const uids = series.map((item) => item['0020000E']?.Value?.[0] ?? '');
  for (const uid of uids) {
    const metadata = await reader.http(`/dicomweb/studies/${studyUid}/series/${uid}/metadata`, { headers: json });
    expect(metadata.ok, `les métadonnées ont répondu ${metadata.status}`);
    const instances = (await metadata.json()) as Record<string, { Value?: string[] }>[];
    for (const instance of instances) {
      const sop = instance['00080018']?.Value?.[0];
      const frame = await reader.http(`/dicomweb/studies/${studyUid}/series/${uid}/instances/${sop}/frames/1`, {
        headers: { accept: 'multipart/related; type=application/octet-stream; transfer-syntax=*' },
      });
      expect(frame.ok, `l’image a répondu ${frame.status}`);
      await frame.arrayBuffer();
    }
  }
  return uids;
}

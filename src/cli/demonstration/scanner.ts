/** The simulated scanner and PACS: makes a synthetic CT series and sends it over STOW-RS. */
import { randomBytes } from 'node:crypto';
import { syntheticCt } from '../synthetic-ct.ts';
import type { DemoCase } from './cases.ts';

/** A fresh UID under 2.25 (a UUID-sized random number in decimal). */
export function newUid(): string {
  return `2.25.${BigInt(`0x${randomBytes(16).toString('hex')}`)}`;
}

export interface AcquiredStudy {
  studyUid: string;
  instances: Buffer[];
}

/** The exam's images; `studyUid` may be given when the caller needs to know it before. */
export function acquire(exam: DemoCase, studyUid: string, examDate: Date): AcquiredStudy {
  const instances = [
    ...syntheticCt({
      studyUid,
      patientId: exam.ipp,
      patientName: `${exam.birthName}^${exam.givenNames.split(' ')[0]}`,
      birthDate: exam.birthDate,
      sex: exam.sex,
      accessionNumber: exam.accessionNumber,
      placerOrderNumber: exam.placerNumber,
      studyDate: examDate,
      seriesDescription: exam.seriesDescription,
      slices: exam.slices,
    }),
  ];
  return { studyUid, instances };
}

/** Bodies of STOW-RS requests for a study, `perRequest` instances each (PS3.18 §10.5: multipart/related of application/dicom). */
export function stowBodies(instances: readonly Buffer[], perRequest = 10): { contentType: string; content: Buffer }[] {
  const bodies = [];
  for (let first = 0; first < instances.length; first += perRequest) {
    const boundary = `scanner-${randomBytes(12).toString('hex')}`;
    const parts = instances
      .slice(first, first + perRequest)
      .flatMap((instance) => [
        Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
        instance,
        Buffer.from('\r\n'),
      ]);
    bodies.push({
      contentType: `multipart/related; type="application/dicom"; boundary=${boundary}`,
      content: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    });
  }
  return bodies;
}

/**
 * STOW-RS of a study, a few instances a request so that series appear while they arrive.
 * @throws Error with the status and the answer when the archive refuses.
 */
export async function send(httpUrl: string, token: string, instances: readonly Buffer[]): Promise<void> {
  for (const { contentType, content } of stowBodies(instances)) {
    const response = await fetch(`${httpUrl}/dicomweb/studies`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, accept: 'application/dicom+json', 'content-type': contentType },
      body: new Uint8Array(content),
    });
    const answer = await response.text();
    if (response.status !== 200) throw new Error(`STOW-RS answered ${response.status}: ${answer.slice(0, 500)}`);
  }
}

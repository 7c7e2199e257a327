/** PS3.18 §10.4 (frames): pixels of single frames, out of the file and nothing else. */
import type { FastifyInstance } from 'fastify';
import { frameLength, readFrame } from '../../imaging/index.ts';
import { instanceTarget, instanceUrl, type RouteParameters } from './addresses.ts';
import { DicomwebError } from './errors.ts';
import { multipartWriter, type OutgoingPart } from './multipart-writer.ts';
import { frameForm, octetStream } from './negotiation.ts';
import { sendBytes } from './send-bytes.ts';
import type { Service } from './service.ts';

const maximumFrames = 10_000;

export function frameRoutes(app: FastifyInstance, { imaging, access, url }: Service): void {
  app.get<{ Params: RouteParameters }>(
    '/studies/:study/series/:series/instances/:instance/frames/:frames',
    async (request, reply) => {
      const context = await access.identify(request, 'dicomweb:wado');
      const target = instanceTarget(request.params);
      const numbers = frameNumbers(request.params.frames ?? '');
      await access.mayRead(context, target.studyUid);
      const instance = await access.instance(context, target);
      const { pixels } = instance;
      if (!pixels) throw new DicomwebError(404, "Cette instance n'a pas d'image.");
      const lengths = numbers.map((number) => {
        const length = frameLength(pixels, number);
        if (length === undefined)
          throw new DicomwebError(404, `L'image ${number} n'existe pas : cette instance en contient ${pixels.frames}.`);
        return length;
      });
      const form = frameForm(request, instance, numbers.length);
      const location = instanceUrl(url(request), target);
      const contentType = `${form.type}; transfer-syntax=${form.transferSyntax}`;
      const file = await imaging.open(context.tenant, instance, pixels.inflated);
      if (form.single) {
        const [number = 1] = numbers;
        reply
          .type(form.type === octetStream ? octetStream : contentType)
          .header('content-location', `${location}/frames/${number}`);
        return sendBytes(reply, file, lengths[0] ?? 0, readFrame(file, pixels, number));
      }
      const writer = multipartWriter(form.type);
      const parts = numbers.map(
        (number, index): OutgoingPart => ({
          contentType,
          contentLocation: `${location}/frames/${number}`,
          length: lengths[index] ?? 0,
          body: readFrame(file, pixels, number),
        }),
      );
      return sendBytes(reply.type(writer.contentType), file, writer.length(parts), writer.write(parts));
    },
  );
}

/** `1,2,5` @throws DicomwebError 400. */
function frameNumbers(text: string): number[] {
  const parts = text.split(',');
  if (parts.length > maximumFrames || !parts.every((part) => /^[1-9]\d{0,8}$/.test(part))) {
    throw new DicomwebError(400, 'La liste des images attend des nombres à partir de 1, séparés par des virgules.');
  }
  return parts.map(Number);
}

/** PS3.18 §10.4 (rendered, thumbnail): images a browser shows by itself, as PNG. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../../fhir/index.ts';
import { type RenderOptions, renderFrame, type ServedInstance, type Target } from '../../imaging/index.ts';
import { type RouteParameters, targetOf } from './addresses.ts';
import { collected } from './collected.ts';
import { entityTag, matchesTag } from './entity-tag.ts';
import { DicomwebError } from './errors.ts';
import { notAcceptable, requirePng } from './negotiation.ts';
import type { Service } from './service.ts';

const thumbnailSize = 128;
const maximumViewport = 4096;
/** Also understood and of no effect on a PNG. */
const ignoredParameters: ReadonlySet<string> = new Set(['accept', 'quality']);

export function renderedRoutes(app: FastifyInstance, service: Service): void {
  const instance = '/studies/:study/series/:series/instances/:instance';
  for (const path of [instance, `${instance}/frames/:frames`]) {
    app.get<{ Params: RouteParameters }>(`${path}/rendered`, (request, reply) => answer(service, request, reply, {}));
  }
  for (const path of ['/studies/:study', '/studies/:study/series/:series', instance, `${instance}/frames/:frames`]) {
    app.get<{ Params: RouteParameters }>(`${path}/thumbnail`, (request, reply) =>
      answer(service, request, reply, { viewport: { width: thumbnailSize, height: thumbnailSize } }),
    );
  }
}

async function answer(
  service: Service,
  request: FastifyRequest<{ Params: RouteParameters }>,
  reply: FastifyReply,
  defaults: RenderOptions,
): Promise<FastifyReply> {
  const { access, imaging } = service;
  const context = await access.identify(request, 'dicomweb:wado');
  requirePng(request);
  const target = targetOf(request.params);
  const options = { ...defaults, ...renderOptions(request.raw.url ?? '') };
  const number = request.params.frames === undefined ? undefined : Number(request.params.frames);
  if (number !== undefined && !(Number.isInteger(number) && number >= 1)) {
    throw new DicomwebError(400, "Le numéro d'image attend un nombre à partir de 1.");
  }
  await access.mayRead(context, target.studyUid);
  const instance = await shownInstance(service, context, target);
  const { pixels } = instance;
  if (!pixels) throw new DicomwebError(404, "Cette instance n'a pas d'image.");
  if ((number ?? 1) > pixels.frames) {
    throw new DicomwebError(404, `L'image ${number ?? 1} n'existe pas : cette instance en contient ${pixels.frames}.`);
  }
  // Kept by the browser, but never shown again unasked: quarantine, rights and the trail hold for the next account at the same screen.
  const etag = renderedTag(instance, number ?? 1, options);
  reply.header('cache-control', 'private, no-cache').header('etag', etag);
  if (matchesTag(request.headers['if-none-match'], etag)) return reply.code(304).send();
  const header = await headerOf(service, context, instance);
  const file = await imaging.open(context.tenant, instance, pixels.inflated);
  try {
    const png = await renderFrame(file, pixels, header, number ?? 1, options);
    if (!png) throw notAcceptable("Ce type d'image ne peut pas être converti ici : demandez ses pixels (/frames).");
    return reply.type('image/png').send(png);
  } finally {
    await file.close();
  }
}

/** What a rendering depends on. */
function renderedTag({ sopUid, sha256 }: ServedInstance, frame: number, options: RenderOptions): string {
  return entityTag(sopUid, sha256.toString('hex'), frame, JSON.stringify(options));
}

/** The instance named, or the middle one of a series or study that has an image. */
async function shownInstance({ access, imaging }: Service, context: Context, target: Target): Promise<ServedInstance> {
  const { studyUid, seriesUid, sopUid } = target;
  if (seriesUid && sopUid) return access.instance(context, { studyUid, seriesUid, sopUid });
  const all = await collected(imaging.listInstances(context.tenant, target));
  const middle = all[Math.floor(all.length / 2)];
  if (!middle) throw new DicomwebError(404, "Cette ressource n'est pas disponible.");
  return access.instance(context, middle);
}

async function headerOf({ imaging }: Service, { tenant }: Context, { studyUid, seriesUid, sopUid }: ServedInstance) {
  for await (const { json } of imaging.listMetadata(tenant, { studyUid, seriesUid, sopUid })) return JSON.parse(json);
  throw new DicomwebError(404, "Cette instance n'est pas disponible.");
}

/** @throws DicomwebError 400 for a parameter that is malformed or not supported. */
function renderOptions(url: string): RenderOptions {
  const options: RenderOptions = {};
  const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '');
  for (const [name, value] of query) {
    if (ignoredParameters.has(name)) continue;
    const [first = Number.NaN, second = Number.NaN] = value.split(',').map(Number);
    if (name === 'window' && Number.isFinite(first) && second >= 1) {
      const [, , shape] = value.split(',');
      if (shape !== undefined && shape.toLowerCase() !== 'linear')
        throw new DicomwebError(400, '« window » : seule la fonction linear est prise en charge.');
      options.window = { center: first, width: second };
    } else if (name === 'viewport' && /^\d+,\d+$/.test(value) && first >= 1 && second >= 1) {
      options.viewport = { width: Math.min(first, maximumViewport), height: Math.min(second, maximumViewport) };
    } else {
      throw new DicomwebError(
        400,
        `Le paramètre « ${name.slice(0, 40)} » est inconnu ou mal formé (window=centre,largeur,linear ; viewport=largeur,hauteur).`,
      );
    }
  }
  return options;
}

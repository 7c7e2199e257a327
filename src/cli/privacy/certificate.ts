/** Certificates of destruction and return: JSON signed with the key of the audit trail, and a signed PDF in French. */
import { hash, randomUUID } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFolder } from '../../config/index.ts';
import { certificatePdf, openKeystore } from '../../report/index.ts';
import type { DataRoom } from '../data-room.ts';

export interface Certificate {
  format: 1;
  number: string;
  /** `retention`: cases whose time was over; `end-of-contract`: everything of a tenant or an establishment. */
  kind: 'retention' | 'end-of-contract';
  tenant: string;
  /** Organization id, when it is about one establishment. */
  establishment?: string;
  at: string;
  /** The rule, or the return that was verified before. */
  ground: string;
  /** Resources destroyed, by type, their history included. */
  resources: Record<string, number>;
  /** Rows of other tables. */
  rows: Record<string, number>;
  /** Root Tasks, `Task/id`, when it is about cases. */
  cases?: string[];
  /** DICOM instances. */
  images: number;
  /** SHA-256 of the sorted list of what was destroyed (`Type/id`, one a line): who kept the list can prove what was in it. */
  listSha256: string;
  /** What stays, and until when. */
  remains: string;
}

export interface SignedCertificate {
  certificate: string;
  key: string;
  signature: string;
}

const issuer = 'Passerelle';

export function certificateNumber(now: Date): string {
  return `${now.toISOString().slice(0, 10).replaceAll('-', '')}-${randomUUID().slice(0, 8)}`;
}

export async function signCertificate(
  { keys }: Pick<DataRoom, 'keys'>,
  certificate: Certificate,
): Promise<SignedCertificate> {
  const text = JSON.stringify(certificate);
  const signer = await keys.current();
  return { certificate: text, key: signer.id, signature: signer.sign(hash('sha256', text, 'base64url')) };
}

/** Leaves `<number>.json` and `<number>.pdf` under DATA_DIR/certificates, durable; the same certificate again replaces them. @returns their paths. */
export async function writeCertificate({ config }: DataRoom, signed: SignedCertificate): Promise<string[]> {
  const folder = join(config.dataDir, 'certificates');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const certificate = JSON.parse(signed.certificate) as Certificate;
  const keystore = await openKeystore(dataFolder(config, 'keys'), config.clock);
  const pdf = await certificatePdf(inFrench(certificate, signed), await keystore.platformSigner());
  const paths: string[] = [];
  for (const [ending, bytes] of [
    ['json', Buffer.from(`${JSON.stringify(signed, null, 2)}\n`)],
    ['pdf', pdf],
  ] as const) {
    const path = join(folder, `${certificate.number}.${ending}`);
    const file = await open(path, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    paths.push(path);
  }
  return paths;
}

function inFrench(certificate: Certificate, { key, signature }: SignedCertificate) {
  const { kind, tenant, establishment, resources, rows, images } = certificate;
  const total = Object.values(resources).reduce((sum, count) => sum + count, 0);
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'aucune';
  return {
    number: certificate.number,
    title: 'Certificat de destruction de données',
    issuer,
    at: new Date(certificate.at),
    paragraphs: [
      kind === 'retention'
        ? `${issuer} certifie avoir détruit les dossiers dont la durée de conservation fixée par l’établissement est écoulée, avec leurs images, leurs documents, leur historique et leurs valeurs de recherche.`
        : `${issuer} certifie avoir détruit, après restitution vérifiée, les données traitées pour le compte du responsable de traitement désigné ci-dessous.`,
      'Les clés de chiffrement propres à chaque image ont été effacées avant la suppression des fichiers : ce qui pourrait en subsister sur un support ne peut plus être déchiffré.',
      certificate.remains,
    ],
    facts: [
      ['Client (groupe)', tenant],
      ['Établissement', establishment ?? 'tous'],
      ['Motif', certificate.ground],
      ['Ressources détruites', `${total} : ${list(resources)}`],
      ['Autres enregistrements', list(rows)],
      ['Instances DICOM', String(images)],
      ['Empreinte SHA-256 de la liste', certificate.listSha256],
      ['Clé et signature du certificat JSON', `${key} ${signature}`],
    ] as [string, string][],
  };
}

/** The one signature field of the report and its empty signature dictionary (ETSI EN 319 142-1 §5.3; ISO 32000-1 §12.8). */
import { pdfTime } from '../paris-time.ts';
import { type Canvas, type Element, element, pdfString } from './canvas.ts';

/** Placeholder numbers of `/ByteRange`; ten characters each, as many as any offset we can meet. */
export const byteRangePlaceholder = '/ByteRange [0 /********** /********** /**********]';

export interface SignatureFieldOptions {
  x: number;
  y: number;
  width: number;
  height: number;
  signerName: string;
  place: string;
  /** Why it is signed; a report's when absent. */
  reason?: string;
  at: Date;
  /** Bytes reserved for the CMS. */
  reserved: number;
}

interface FormInternals {
  _root: { data: { AcroForm: { data: Record<string, unknown> } } };
}

/** Adds the field, its widget over the visible block, and the dictionary to be filled by the signature. */
export function addSignatureField(canvas: Canvas, parent: Element, options: SignatureFieldOptions): void {
  const { doc } = canvas;
  const { x, y, width, height } = options;
  const value = doc.ref({
    Type: 'Sig',
    Filter: 'Adobe.PPKLite',
    SubFilter: 'ETSI.CAdES.detached',
    ByteRange: [0, '**********', '**********', '**********'],
    Contents: Buffer.alloc(options.reserved),
    M: pdfString(pdfTime(options.at)),
    Name: pdfString(options.signerName),
    Location: pdfString(options.place),
    Reason: pdfString(options.reason ?? 'Validation du compte rendu'),
  });
  end(value);
  // The words of the visible block are page content, where readers and screen readers find them; the appearance adds nothing.
  const appearance = doc.ref({
    Type: 'XObject',
    Subtype: 'Form',
    BBox: [0, 0, width, height],
    Resources: {},
  });
  appearance.write(' ');
  end(appearance);
  const form = element(canvas, parent, 'Form', { alt: 'Champ de signature électronique' });
  doc.annotate(x, y, width, height, {
    Subtype: 'Widget',
    FT: 'Sig',
    T: pdfString('Signature'),
    TU: pdfString('Signature électronique du compte rendu'),
    V: value,
    // Print and Locked.
    F: 132,
    P: doc.page.dictionary,
    AP: { N: appearance },
    structParent: form,
  } as unknown as PDFKit.Mixins.AnnotationOption);
  form.end();
  doc.font('regular').initForm();
  const { data } = (doc as unknown as FormInternals)._root.data.AcroForm;
  data.Fields = [(doc.page.annotations as unknown[]).at(-1)];
  // SignaturesExist and AppendOnly. NeedAppearances would let a reader redraw what was signed, and PDF/A forbids it.
  data.SigFlags = 3;
  data.NeedAppearances = undefined;
}

function end(reference: PDFKit.PDFKitReference): void {
  (reference.end as (chunk?: unknown) => void)();
}

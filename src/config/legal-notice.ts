/**
 * What a public site must say about itself (French law of 21 June 2004 on the digital economy, article 1-1): who publishes it, who
 * hosts it; and, because it holds health data, the host's certification and the data protection officer (SE-13). One JSON file, named
 * by `LEGAL_NOTICE`.
 */
import { type Fields, fieldsOf } from './fields.ts';
import { type Environment, jsonFile } from './variables.ts';

export interface LegalNotice {
  editor: Organisation & {
    /** Legal form and capital, as registered: `SAS au capital de 10 000 €`. */
    legalForm: string | undefined;
    /** SIREN or RCS. */
    registration: string | undefined;
    /** Person answerable for what is published. */
    director: string;
  };
  host: Organisation & {
    /** Certificate of a host of health data (HDS): number, or who delivered it and until when. */
    certificate: string;
  };
  /** Data protection officer. */
  dpo: { name: string; mail: string; address: string | undefined };
}

export interface Organisation {
  name: string;
  address: string;
  telephone: string | undefined;
  mail: string | undefined;
}

/** @returns undefined when no file is named. @throws ConfigError naming the field that is missing or wrong. */
export function legalNotice(env: Environment): LegalNotice | undefined {
  const content = jsonFile(env, 'LEGAL_NOTICE');
  return content === undefined ? undefined : parseLegalNotice(content);
}

/** The same from what the file holds. @throws ConfigError */
function parseLegalNotice(content: unknown): LegalNotice {
  const file = fieldsOf(content, '');
  const [editor, host, dpo] = ['editor', 'host', 'dpo'].map((name) => section(file, name)) as [Fields, Fields, Fields];
  const notice: LegalNotice = {
    editor: {
      ...organisation(editor),
      legalForm: editor.optionalText('legalForm'),
      registration: editor.optionalText('registration'),
      director: editor.text('director'),
    },
    host: { ...organisation(host), certificate: host.text('certificate') },
    dpo: { name: dpo.text('name'), mail: dpo.text('mail'), address: dpo.optionalText('address') },
  };
  for (const fields of [editor, host, dpo, file]) fields.done();
  return notice;
}

function section(file: Fields, name: string): Fields {
  const found = file.object(name);
  if (!found) throw file.error(name, 'un objet');
  return found;
}

function organisation(fields: Fields): Organisation {
  return {
    name: fields.text('name'),
    address: fields.text('address'),
    telephone: fields.optionalText('telephone'),
    mail: fields.optionalText('mail'),
  };
}

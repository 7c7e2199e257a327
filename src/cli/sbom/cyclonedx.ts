/** The inventory as a CycloneDX 1.6 document in JSON (https://cyclonedx.org/docs/1.6/json/), checked against its schema. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Contrib, Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import { Ajv, type ErrorObject } from 'ajv';
import { inventoryOf, type Lock, type Shipped } from './inventory.ts';

const algorithms: Readonly<Record<string, Enums.HashAlgorithm>> = {
  sha1: Enums.HashAlgorithm['SHA-1'],
  sha256: Enums.HashAlgorithm['SHA-256'],
  sha384: Enums.HashAlgorithm['SHA-384'],
  sha512: Enums.HashAlgorithm['SHA-512'],
};

/** @param at when it was made. */
export function sbomOf(lock: Lock, at: Date): string {
  const licences = new Contrib.License.Factories.LicenseFactory(requireExpression);
  const inventory = inventoryOf(lock);
  const components = new Map(inventory.map((shipped) => [shipped.path, componentOf(shipped, licences)]));
  for (const { path, needs } of inventory) {
    for (const need of needs) components.get(path)!.dependencies.add(components.get(need)!.bomRef);
  }
  const bom = new Models.Bom({ metadata: new Models.Metadata({ component: components.get('')!, timestamp: at }) });
  for (const [path, component] of components) if (path !== '') bom.components.add(component);
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return serializer.serialize(bom, { sortLists: true, space: 2 });
}

function componentOf(shipped: Shipped, licences: Contrib.License.Factories.LicenseFactory): Models.Component {
  const { path, version, licence, resolved, hashes, isOptional } = shipped;
  const [group, name] = shipped.name.startsWith('@') ? shipped.name.split('/') : [undefined, shipped.name];
  const type = path === '' ? Enums.ComponentType.Application : Enums.ComponentType.Library;
  const component = new Models.Component(type, name!, {
    bomRef: path === '' ? shipped.name : path,
    version,
    purl: `pkg:npm/${group ? `${encodeURIComponent(group)}/` : ''}${name}@${version}`,
    scope: isOptional ? Enums.ComponentScope.Optional : Enums.ComponentScope.Required,
    ...(group ? { group } : {}),
  });
  if (licence) component.licenses.add(licences.makeFromString(licence));
  for (const { algorithm, digest } of hashes) {
    const known = algorithms[algorithm];
    if (known) component.hashes.set(known, digest);
  }
  if (resolved)
    component.externalReferences.add(
      new Models.ExternalReference(resolved, Enums.ExternalReferenceType.Distribution, {}),
    );
  return component;
}

/** SPDX licence expressions as they occur: names joined by AND and OR. */
function requireExpression(text: string): void {
  if (!/^\(?[\w.+-]+(?: (?:AND|OR|WITH) [\w.+-]+)*\)?$/.test(text)) throw new Error('no SPDX expression');
}

/** What is wrong with a document; empty when it is valid. */
export function problemsOf(document: unknown): ErrorObject[] {
  const require = createRequire(import.meta.url);
  const schemas = join(require.resolve('@cyclonedx/cyclonedx-library/package.json'), '..', 'res', 'schema');
  const schema = (name: string) =>
    JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object;
  const ajv = new Ajv({
    strict: false,
    allErrors: false,
    formats: {
      'date-time': (text: string) => !Number.isNaN(Date.parse(text)),
      uri: (text: string) => URL.canParse(text),
      'iri-reference': (text: string) => URL.canParse(text, 'https://base.example'),
      'idn-email': /^[^@\s]+@[^@\s]+$/,
    },
    // As the main schema refers to them.
    schemas: Object.fromEntries(
      ['spdx', 'jsf-0.82'].map((name) => [`http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`, schema(name)]),
    ),
  });
  const validate = ajv.compile(schema('bom-1.6'));
  return validate(document) ? [] : (validate.errors ?? []);
}

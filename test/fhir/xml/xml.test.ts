import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FhirError } from '../../../src/fhir/contract.ts';
import { resourceTypesOf } from '../../../src/fhir/definitions/structure-file.ts';
import { r4Structure } from '../../../src/fhir/definitions/structure-r4.ts';
import { parseJson, stringifyJson } from '../../../src/fhir/json/index.ts';
import { parseXml, stringifyXml } from '../../../src/fhir/xml/index.ts';
import { makeResource } from '../validation/generate.ts';
import { sorted } from './sorted.ts';

const document = (inside: string, type = 'Patient') => `<${type} xmlns="http://hl7.org/fhir">${inside}</${type}>`;
const head = '<?xml version="1.0" encoding="UTF-8"?>';

describe('writing', () => {
  it('puts elements in the order of their definition, ids and extension urls into attributes', () => {
    const patient = {
      resourceType: 'Patient',
      gender: 'female',
      name: [{ given: ['Zoé', 'A&B <"c">'], family: 'TEST', id: 'n1' }],
      extension: [{ url: 'https://a.example/x', valueBoolean: true }],
      id: 'p1',
    };
    expect(stringifyXml(patient)).toBe(
      `${head}<Patient xmlns="http://hl7.org/fhir"><id value="p1"/>` +
        '<extension url="https://a.example/x"><valueBoolean value="true"/></extension>' +
        '<name id="n1"><family value="TEST"/><given value="Zoé"/><given value="A&amp;B &lt;&quot;c&quot;&gt;"/></name>' +
        '<gender value="female"/></Patient>',
    );
  });

  it('keeps the text of decimals', () => {
    const observation = parseJson(
      '{"resourceType":"Observation","status":"final","code":{"text":"a"},"valueQuantity":{"value":7.20}}',
    );
    const xml = stringifyXml(observation);
    expect(xml).toContain('<value value="7.20"/>');
    expect(stringifyJson(parseXml(xml) as object)).toContain('"value":7.20');
  });

  it('refuses to leave something out', () => {
    expect(() => stringifyXml({ resourceType: 'Patient', shoeSize: 42 })).toThrow();
    expect(() => stringifyXml({ resourceType: 'Shoe' })).toThrow();
    expect(() =>
      stringifyXml({ resourceType: 'Patient', text: { status: 'additional', div: '<div><b></div>' } }),
    ).toThrow();
  });
});

describe('reading', () => {
  it('aligns values and extensions of repeated primitives', () => {
    const extension = '<extension url="https://a.example/x"><valueCode value="a"/></extension>';
    const xml = document(
      `<name><given>${extension}</given><given value="B"/><given value="C" id="g3">${extension}</given></name>`,
    );
    const content = { extension: [{ url: 'https://a.example/x', valueCode: 'a' }] };
    expect(parseXml(xml)).toEqual({
      resourceType: 'Patient',
      name: [{ given: [null, 'B', 'C'], _given: [content, null, { id: 'g3', ...content }] }],
    });
  });

  it('takes resources inside resources, comments, prefixes and any order', () => {
    const xml = `${head}<!-- a --><?a b?><f:Bundle xmlns:f="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
      xsi:schemaLocation="http://hl7.org/fhir ../fhir-all.xsd"><f:entry><f:resource><Patient xmlns="http://hl7.org/fhir">
      <birthDate value="1980"/><contained><Organization><id value="o"/></Organization></contained></Patient></f:resource></f:entry>
      <f:type value="collection"/></f:Bundle>`;
    expect(parseXml(xml)).toEqual({
      resourceType: 'Bundle',
      type: 'collection',
      entry: [
        {
          resource: {
            resourceType: 'Patient',
            birthDate: '1980',
            contained: [{ resourceType: 'Organization', id: 'o' }],
          },
        },
      ],
    });
  });

  it('leaves values that are not of their type to the validator', () => {
    expect(parseXml(document('<active value="yes"/><multipleBirthInteger value="0x1"/>'))).toEqual({
      resourceType: 'Patient',
      active: 'yes',
      multipleBirthInteger: '0x1',
    });
  });

  it('keeps a narrative to the letter', () => {
    const div = `<div xmlns="http://www.w3.org/1999/xhtml" class='a'>é &amp; &#xe9;<!-- c --> <br/><br /><p\n>x</p></div>`;
    const text = { status: 'generated', div };
    expect(parseXml(stringifyXml({ resourceType: 'Patient', text }))).toEqual({ resourceType: 'Patient', text });
  });

  it('makes a narrative that leans on what is around it stand alone', () => {
    const inside =
      '<text><status value="generated"/><h:div><h:p title="&quot;">a<h:br/><![CDATA[<b>]]></h:p></h:div></text>';
    const xml = `<Patient xmlns="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml">${inside}</Patient>`;
    expect(parseXml(xml)).toMatchObject({
      text: { div: '<div xmlns="http://www.w3.org/1999/xhtml"><p title="&quot;">a<br/>&lt;b&gt;</p></div>' },
    });
  });

  it('gives back what was written, white space included (property)', () => {
    const unit = fc.constantFrom(...'aé \t\n\r&<>"', '\u{1f600}');
    const text = fc.string({ unit, minLength: 1 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), (given) => {
        const patient = { resourceType: 'Patient', name: [{ given }] };
        expect(parseXml(stringifyXml(patient))).toEqual(patient);
        expect(parseXml(stringifyXml(patient, true))).toEqual(patient);
      }),
    );
  });

  it('gives back resources of every type (property)', () => {
    // What a Bundle's responses hold is a resource of a fixed type, which the generator does not make.
    const types = resourceTypesOf(r4Structure).filter((type) => type !== 'Bundle');
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.infiniteStream(fc.nat()), (type, numbers) => {
        const resource = makeResource(r4Structure, type, (limit) => numbers.next().value % limit);
        expect(sorted(parseXml(stringifyXml(resource)))).toEqual(sorted(resource));
      }),
      { numRuns: 300 },
    );
  });

  function refused(xml: string) {
    try {
      parseXml(xml);
    } catch (error) {
      if (error instanceof FhirError) return { status: error.status, ...error.outcome.issue[0]! };
      throw error;
    }
    throw new Error('was not refused');
  }

  it('says where something is wrong', () => {
    const issue = refused(document('\n<name>\n<given value="A"/><given value="B"><p/></given></name>'));
    expect(issue).toMatchObject({
      status: 400,
      code: 'structure',
      expression: ['Patient.name[0].given[1].p'],
      extension: [{ valueInteger: 3 }, { valueInteger: 39 }],
    });
    expect(issue.diagnostics).toContain('line 3, column 39');
  });

  it.each([
    ['a document type', `<!DOCTYPE a [<!ENTITY e "b">]>${document('')}`],
    ['an entity', document('<gender value="&e;"/>')],
    ['another namespace', '<Patient xmlns="urn:hl7-org:v3"/>'],
    ['no namespace', '<Patient/>'],
    ['an element of another namespace', document('<gender xmlns="urn:a" value="male"/>')],
    ['an unknown type', document('', 'Shoe')],
    ['an abstract type', document('', 'DomainResource')],
    ['an unknown element', document('<shoeSize value="42"/>')],
    ['a name of Object', document('<constructor value="42"/>')],
    ['an unknown attribute', document('<gender code="male"/>')],
    ['a value on what has none', document('<name value="male"/>')],
    ['an element twice', document('<gender value="male"/><gender value="male"/>')],
    ['an empty primitive', document('<gender/>')],
    ['text', document('<gender>male</gender>')],
    ['CDATA', document('<gender><![CDATA[male]]></gender>')],
    ['no resource', document('<contained/>')],
    ['two resources in one element', document('<contained><Patient/><Patient/></contained>')],
    ['a primitive in place of a resource', document('<contained><id value="a"/></contained>')],
    ['a narrative that is no XHTML', document('<text><status value="generated"/><div>a</div></text>')],
    ['another encoding', `<?xml version="1.0" encoding="ISO-8859-1"?>${document('')}`],
    ['two roots', document('') + document('')],
    ['no end', '<Patient xmlns="http://hl7.org/fhir"><name>'],
    ['nothing', ''],
    ['JSON', '{"resourceType":"Patient"}'],
    ['elements without end', document('<extension url="a">'.repeat(100_000))],
  ])('refuses %s', (_, xml) => {
    expect(refused(xml)).toMatchObject({ status: 400, code: 'structure', severity: 'error' });
  });

  it('never repeats what was sent', () => {
    for (const xml of [document('<TEST-MOREAU>'), document('<name family="MOREAU"/>'), document('MOREAU'), '<MOREAU'])
      expect(JSON.stringify(refused(xml))).not.toContain('MOREAU');
  });
});

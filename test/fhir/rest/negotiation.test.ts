import { describe, expect, it } from 'vitest';
import { formatOfContent, negotiate, wantsFhirByName } from '../../../src/fhir/rest/negotiation.ts';

const chromium = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

describe('the format of an answer', () => {
  it.each([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['', 'json'],
    [' ', 'json'],
    ['application/*', 'json'],
    ['application/fhir+json', 'json'],
    ['application/json, text/plain, */*', 'json'],
    ['application/fhir+json, */*; q=0.1', 'json'],
    ['application/fhir+xml', 'xml'],
    ['Application/FHIR+XML; charset=UTF-8', 'xml'],
    ['text/xml', 'xml'],
    ['application/fhir+xml, application/fhir+json', 'xml'],
    ['application/fhir+json, application/fhir+xml', 'json'],
    ['application/fhir+xml;q=0.5, application/fhir+json;q=0.9', 'json'],
    ['application/fhir+json;q=0.5, application/fhir+xml', 'xml'],
    ['application/fhir+json;q=0, */*', 'xml'],
    ['application/fhir+json;fhirVersion=4.0', 'json'],
    ['application/fhir+json;fhirVersion=5.0', undefined],
    ['application/fhir+json;q=0', undefined],
    ['*/*;q=0', undefined],
    ['image/png', undefined],
    ['text/*', undefined],
    [chromium, 'html'],
    ['text/html', 'html'],
    ['text/html, application/fhir+json', 'html'],
    ['application/fhir+json, text/html', 'json'],
    ['text/html;q=0.5, */*', 'json'],
  ])('for Accept: %s is %s', (accept, expected) => {
    expect(negotiate(accept, undefined)).toBe(expected);
  });

  it.each([
    ['json', 'json'],
    ['application/fhir+json', 'json'],
    ['application/fhir json', 'json'],
    ['xml', 'xml'],
    ['text/xml', 'xml'],
    ['application/fhir+xml;fhirVersion=4.0', 'xml'],
    ['html', 'html'],
    ['text/html', 'html'],
    ['ttl', undefined],
    ['application/fhir+json;fhirVersion=3.0', undefined],
  ])('for _format=%s is %s, whatever Accept says', (format, expected) => {
    expect(negotiate('image/png', format)).toBe(expected);
  });

  it('of a Binary is its own, unless FHIR is named', () => {
    for (const accept of [undefined, '*/*', 'application/pdf', chromium, 'text/xml', 'application/fhir+json;q=0'])
      expect(wantsFhirByName(accept, undefined), accept).toBe(false);
    for (const accept of [
      'application/fhir+json',
      'application/fhir+xml',
      'application/pdf, application/fhir+xml;q=0.1',
    ])
      expect(wantsFhirByName(accept, undefined), accept).toBe(true);
    for (const format of ['json', 'xml', 'html']) expect(wantsFhirByName('*/*', format)).toBe(true);
  });
});

describe('the format of a body', () => {
  it.each([
    ['application/fhir+json', 'json'],
    ['application/json; charset=utf-8', 'json'],
    ['application/fhir+xml', 'xml'],
    ['application/xml', 'xml'],
    ['application/fhir+json; fhirVersion=3.0', undefined],
    ['text/html', undefined],
    ['application/pdf', undefined],
    [undefined, undefined],
  ])('sent as %s is %s', (contentType, expected) => {
    expect(formatOfContent(contentType)).toBe(expected);
  });
});

/** `near` of Location (https://hl7.org/fhir/R4/location.html#positional): places within a distance of a point. */
import { splitBars } from './escapes.ts';
import { numberOf } from './numbers.ts';
import { invalid } from './refusals.ts';
import { ucumSystem } from './ucum.ts';
import type { Units } from './units.ts';
import type { Circle } from './value-test.ts';

/** Around the point when the search names no distance. */
const defaultMetres = 50_000;
const earthRadiusMetres = 6_371_008.8;
const metresPerDegree = (Math.PI / 180) * earthRadiusMetres;

/** `latitude|longitude|distance|units`, kilometres when there are no units. @throws FhirError 400. */
export function parseNear(code: string, value: string, units: Units): Circle {
  const [latitude, longitude, distance = '', unit = '', ...rest] = splitBars(value) as [string, ...string[]];
  const circle = {
    latitude: degrees(latitude, 90),
    longitude: degrees(longitude, 180),
    metres: distance === '' ? defaultMetres : metresOf(distance, unit === '' ? 'km' : unit, units),
  };
  if (rest.length > 0 || Object.values(circle).some((part) => Number.isNaN(part)) || circle.metres < 0) {
    throw invalid(`${code} takes latitude|longitude|distance|units, with units of length (km when absent)`);
  }
  return circle;
}

function degrees(text: string | undefined, limit: number): number {
  const number = text !== undefined && /^[+-]?\d{1,3}(\.\d{1,15})?$/.test(text.trim()) ? Number(text) : Number.NaN;
  return Math.abs(number) <= limit ? number : Number.NaN;
}

function metresOf(distance: string, unit: string, units: Units): number {
  const number = /^\d{1,9}(\.\d{1,9})?$/.test(distance) ? Number(distance) : Number.NaN;
  const metre = units.compared(ucumSystem, 'm');
  const written = units.compared(ucumSystem, unit);
  return written.text === metre.text ? written.convert(number) : Number.NaN;
}

/** Latitude and longitude of a Location.position; undefined when it is none. */
export function positionOf(value: unknown): { latitude: number; longitude: number } | undefined {
  const position = value as { latitude?: unknown; longitude?: unknown } | null;
  const latitude = numberOf(position?.latitude);
  const longitude = numberOf(position?.longitude);
  if (latitude === undefined || longitude === undefined || Math.abs(latitude) > 90 || Math.abs(longitude) > 180)
    return undefined;
  return { latitude, longitude };
}

/** Latitudes that can be within the circle: narrows what an index has to read. */
export function latitudeBounds({ latitude, metres }: Circle): { lo: number; hi: number } {
  // A little wider than the circle, so that no rounding cuts its edge off.
  const half = (metres / metresPerDegree) * 1.000001 + 1e-9;
  return { lo: latitude - half, hi: latitude + half };
}

/** Great-circle distance in metres by the haversine formula on a sphere: 0.5 % at most from the ellipsoid. */
export function distanceMetres(
  from: { latitude: number; longitude: number },
  to: { latitude: number; longitude: number },
): number {
  const radians = (angle: number) => (angle * Math.PI) / 180;
  const a =
    Math.sin(radians(to.latitude - from.latitude) / 2) ** 2 +
    Math.cos(radians(from.latitude)) *
      Math.cos(radians(to.latitude)) *
      Math.sin(radians(to.longitude - from.longitude) / 2) ** 2;
  return 2 * earthRadiusMetres * Math.asin(Math.min(1, Math.sqrt(a)));
}

/** The same in SQL, for latitude and longitude in degrees in two columns. */
export function distanceSql(latitude: string, longitude: string, fromLatitude: string, fromLongitude: string): string {
  const haversine = `sin(radians(${latitude} - ${fromLatitude}) / 2) ^ 2 + cos(radians(${fromLatitude})) * cos(radians(${latitude})) * sin(radians(${longitude} - ${fromLongitude}) / 2) ^ 2`;
  return `${2 * earthRadiusMetres} * asin(least(1, sqrt(${haversine})))`;
}

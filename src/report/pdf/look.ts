/** Look of the report: one family, four sizes, one dark blue; grey never lighter than what prints and reads (contrast ≥ 4.5:1). */
import type { TextStyle } from './lines.ts';

const ink = '#1b1f24';
const quiet = '#54606c';
export const accent = '#123c66';
export const rule = '#b9c6d3';
export const tint = '#eef3f8';
export const warning = '#8a3b00';

const style = (weight: TextStyle['weight'], size: number, leading: number, color: string): TextStyle => ({
  weight,
  size,
  leading,
  color,
});

export const look = {
  hospital: style('semibold', 13, 18, accent),
  small: style('regular', 8, 11.5, quiet),
  title: style('semibold', 18, 23, accent),
  act: style('regular', 12, 16.5, ink),
  label: style('regular', 8, 12.5, quiet),
  value: style('regular', 9.3, 12.8, ink),
  strong: style('semibold', 9.3, 12.8, ink),
  name: style('semibold', 13, 18, ink),
  heading: style('semibold', 11.5, 16.5, accent),
  body: style('regular', 10, 14.6, ink),
  conclusion: style('semibold', 10, 14.6, ink),
  notice: style('semibold', 9.5, 13.5, warning),
  caption: style('regular', 7.5, 10.5, ink),
  footer: style('regular', 7.8, 10.5, quiet),
} as const;

/** Label and value pairs as a tagged table: a reading machine hears "Date de naissance: 17/04/1985". */
import { type Canvas, type Element, element, setLine } from './canvas.ts';
import { printable, type TextStyle, wrap } from './lines.ts';
import { look } from './look.ts';

export interface Row {
  label: string;
  value: string;
  style?: TextStyle;
}

export interface TableBox {
  x: number;
  top: number;
  labelWidth: number;
  width: number;
}

const rowGap = 1.5;

/** Height the rows will take, points. */
export function rowsHeight(canvas: Canvas, rows: Row[], box: Omit<TableBox, 'top'>): number {
  return rows.reduce((sum, row) => sum + valueLines(canvas, row, box).length * leading(row) + rowGap, 0);
}

/** Draws the rows; returns the height taken, points. */
export function drawRows(canvas: Canvas, parent: Element, rows: Row[], box: TableBox, summary: string): number {
  const table = element(canvas, parent, 'Table', { title: summary });
  let y = box.top;
  for (const row of rows) {
    const line = element(canvas, table, 'TR');
    const label = element(canvas, line, 'TH', { scope: 'Row' });
    // The label sits on the first line of its value, baselines level.
    label.add(() => setLine(canvas, row.label, { ...look.label, leading: leading(row) }, box.x, y));
    label.end();
    const value = element(canvas, line, 'TD');
    value.add(() => {
      for (const text of valueLines(canvas, row, box)) {
        setLine(canvas, text, row.style ?? look.value, box.x + box.labelWidth, y);
        y += leading(row);
      }
    });
    value.end();
    line.end();
    y += rowGap;
  }
  table.end();
  return y - box.top;
}

function valueLines(canvas: Canvas, row: Row, box: Omit<TableBox, 'top'>): string[] {
  const text = printable(row.value).replaceAll('\n', ' ');
  return wrap(canvas.faces, text, row.style ?? look.value, box.width - box.labelWidth);
}

function leading(row: Row): number {
  return (row.style ?? look.value).leading;
}

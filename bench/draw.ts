import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Curve } from './bench.ts';

/** Draws each curve as an SVG, and writes its points beside it as JSON. */
export const drawCurves = async (directory: string, curves: readonly Curve[]): Promise<void> => {
  const { compile } = await load<VegaLite>('vega-lite');
  const { parse, View } = await load<Vega>('vega');
  mkdirSync(directory, { recursive: true });
  for (const { name, title, x, y, points } of curves) {
    const { spec } = compile({
      title,
      width: 480,
      height: 280,
      background: 'white',
      data: { values: [...points] },
      mark: { type: 'line', point: true },
      encoding: {
        x: { field: 'x', type: 'quantitative', title: x.title, scale: { type: x.scale }, axis: { format: '~s' } },
        y: { field: 'y', type: 'quantitative', title: y.title, scale: { type: y.scale }, axis: { format: '~s' } },
        color: { field: 'series', type: 'nominal', title: null },
      },
    });
    const svg = await new View(parse(spec), { renderer: 'none' }).toSVG();
    writeFileSync(join(directory, `${name}.svg`), `${svg}\n`);
    const rounded = points.map((point) => ({ ...point, y: Number(point.y.toPrecision(4)) }));
    writeFileSync(join(directory, `${name}.json`), `${JSON.stringify(rounded, null, 2)}\n`);
  }
};

/** The used parts of both packages. They are installed with the peers, so their own types may be missing. */
interface VegaLite {
  compile(chart: object): { spec: object };
}
interface Vega {
  parse(spec: object): object;
  View: new (runtime: object, options: { renderer: 'none' }) => { toSVG(): Promise<string> };
}

const load = async <T>(name: string): Promise<T> => (await import(name)) as T;

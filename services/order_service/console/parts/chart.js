import { html } from 'htm/preact';
import { useEffect, useRef } from 'preact/hooks';

/**
 * @typedef {{ label: string, colour: string, values: readonly (number | null)[], dash?: number[] }} Series `colour` is the name of a custom property
 * @typedef {{ title: string, now: string, unit: string, times: readonly number[], series: readonly Series[], spanS: number }} ChartProps
 *   `times` in seconds
 */

const HEIGHT = 132;
/** Possible distances between two labels of the time axis, in seconds. */
const MINUTES = [60, 120, 300];
const dark = matchMedia('(prefers-color-scheme: dark)');

/** Lines over time, the newest values at the right. @param {ChartProps} props */
export const Chart = (props) => {
  const { title, now, times, series, spanS } = props;
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const box = place.current;
    if (box === null) return undefined;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(latest.current, box.clientWidth), dataOf(latest.current), box);
    };
    const fit = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height: HEIGHT }));
    draw();
    fit.observe(box);
    dark.addEventListener('change', draw);
    return () => {
      fit.disconnect();
      dark.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);

  useEffect(() => {
    plot.current?.setData(dataOf(latest.current), false);
    const end = times.at(-1) ?? Date.now() / 1_000;
    plot.current?.setScale('x', { min: end - spanS, max: end });
  }, [times, series]);

  return html`<figure class="chart">
    <figcaption>
      <span class="chart-title">${title}</span> <output class="chart-now">${now}</output>
      <span class="legend">
        ${series.map(({ label, colour }) => html`<span><i class="swatch ${colour}"></i>${label}</span>`)}
      </span>
    </figcaption>
    <div ref=${place} class="plot" aria-hidden="true"></div>
  </figure>`;
};

/** @param {ChartProps} props */
const dataOf = ({ times, series }) =>
  /** @type {uPlot.AlignedData} */ ([[...times], ...series.map(({ values }) => [...values])]);

/**
 * @param {ChartProps} props
 * @param {number} width
 * @returns {uPlot.Options}
 */
const optionsOf = ({ series, unit }, width) => {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour('muted'),
    font: '11px system-ui',
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 0) * 1.1)] } },
    axes: [
      { ...axis, size: 24, space: 40, incrs: MINUTES, values: (_plot, splits) => splits.map((at) => timeOfDay(at)) },
      { ...axis, size: 46, space: 28, values: (_plot, splits) => splits.map((value) => short(value, unit)) },
    ],
    series: [
      {},
      ...series.map(({ label, colour: name, dash }) => ({
        label,
        stroke: colour(name),
        width: 1.5,
        points: { show: false },
        ...(dash === undefined ? {} : { dash }),
      })),
    ],
  };
};

/** @param {number} seconds */
const timeOfDay = (seconds) => new Date(seconds * 1_000).toTimeString().slice(0, 5);

/**
 * @param {number} value
 * @param {string} unit
 */
const short = (value, unit) => {
  if (value >= 1_000_000) return `${value / 1_000_000} M${unit}`;
  return value >= 1_000 ? `${value / 1_000} k${unit}` : `${value} ${unit}`.trim();
};

// The plot of one step: the distribution that a coordinate was drawn from, with the drawn bin.
//
// SVG in the classes of the report's plots: area s2 the network's, dashed s4 that of the placement
// energies alone, a line in the colour of text what was drawn.

const PLOT = {width: 480, height: 250, left: 62, right: 18, top: 48, bottom: 44};

// About five round numbers from low to high.
function ticksOf(low, high) {
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((k) => k * power >= rough);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k)
    ticks.push(k * step);
  return {ticks, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9))};
}

function axisText(value, digits) {
  return value.toFixed(digits).replace(/^-(?=0(\.0*)?$)/, '').replace('-', '\u2212');
}

// The columns worth drawing: the whole circle of a dihedral, otherwise where there is probability.
function windowOf(step, probability) {
  const count = probability.length;
  if (step.circle) return [0, count];
  const most = Math.max(...probability);
  const seen = [...probability.keys()].filter((k) => probability[k] > 0.002 * most);
  const first = Math.min(seen[0], step.column), last = Math.max(seen.at(-1), step.column);
  const wide = Math.max(last - first + 1, Math.ceil(count / 10)), pad = Math.ceil(wide / 5);
  const middle = Math.round((first + last) / 2), half = Math.ceil(wide / 2) + pad;
  return [Math.max(0, middle - half), Math.min(count, middle + half + 1)];
}

// step: {low, high, unit, kind, circle, value, column}; probability [columns]; placed the same or
// null.
function conditionalPlot(step, probability, placed) {
  const {width, height, left, right, top, bottom} = PLOT;
  const [begin, end] = windowOf(step, probability), columns = probability.length;
  const column = (step.high - step.low) / columns;
  const low = step.low + begin * column, high = step.low + end * column;
  const most = 1.06 * Math.max(...probability.subarray(begin, end),
    ...(placed ? placed.subarray(begin, end) : []));
  const x = (value) => left + (value - low) / (high - low) * (width - left - right);
  const y = (p) => height - bottom - p / most * (height - top - bottom);
  const outline = (p) => {
    let path = `M${x(low).toFixed(1)},${y(0).toFixed(1)}`;
    for (let k = begin; k < end; ++k)
      path += `V${y(p[k]).toFixed(1)}H${x(step.low + (k + 1) * column).toFixed(1)}`;
    return path + `V${y(0).toFixed(1)}`;
  };
  return legend(placed) + axes(x, y, {low, high, most}, step) +
    `<path class="area s2" d="${outline(probability)}z"/>` +
    `<path class="line thin s2" d="${outline(probability)}"/>` +
    (placed ? `<path class="line thin dashed s4" d="${outline(placed)}"/>` : '') +
    `<path class="drawn" d="M${x(step.value).toFixed(1)},${top - 4}V${y(0).toFixed(1)}"/>` +
    `<circle class="drawn" cx="${x(step.value).toFixed(1)}" ` +
    `cy="${y(probability[step.column]).toFixed(1)}" r="4"/>`;
}

function axes(x, y, {low, high, most}, step) {
  const {width, height, left, right, bottom} = PLOT, floor = height - bottom;
  const across = step.circle ? circleTicks(low, high) : ticksOf(low, high), up = ticksOf(0, most);
  let svg = '';
  for (const tick of up.ticks) {
    svg += `<path class="grid" d="M${left},${y(tick).toFixed(1)}H${width - right}"/>` +
      `<text class="tick end" x="${left - 7}" y="${(y(tick) + 4).toFixed(1)}">` +
      `${axisText(tick, up.digits)}</text>`;
  }
  for (const tick of across.ticks) {
    svg += `<path class="axis" d="M${x(tick).toFixed(1)},${floor}v4"/>` +
      `<text class="tick middle" x="${x(tick).toFixed(1)}" y="${floor + 18}">` +
      `${axisText(tick, across.digits)}</text>`;
  }
  return svg + `<path class="axis" d="M${left},${floor}H${width - right}"/>` +
    `<text class="label middle" x="${(left + width - right) / 2}" y="${height - 6}">` +
    `${step.kind} (${step.unit})</text>`;
}

function circleTicks(low, high) {
  const ticks = [];
  for (let k = Math.ceil(low / 90 - 1e-6); 90 * k <= high + 1e-6; ++k) ticks.push(90 * k);
  return {ticks, digits: 0};
}

function legend(placed) {
  const entries = [['<path class="area s2" d="M0,-9h18v10h-18z"/>', 'network', 104],
    ...(placed ? [['<path class="line dashed s4" d="M0,-4h18"/>', 'force field alone', 168]] : []),
    ['<path class="drawn" d="M9,-12v14"/>', 'drawn', 0]];
  let at = PLOT.left;
  return entries.map(([mark, name, wide]) => {
    const svg = `<g transform="translate(${at},16)">${mark}<text class="tick" x="24" y="0">` +
      `${name}</text></g>`;
    at += wide;
    return svg;
  }).join('') + `<text class="tick" x="${PLOT.left}" y="36">probability of a bin</text>`;
}

// The controls of a viewer: which conformation, or which step of a roll-out, is on the stage.
//
// `data` is what pages/viewer.h describes. The address may say where to begin:
// #sample=3, or #rollout=1&step=40, and style=sticks, ghost=1 (the overlay), hydrogens=0,
// turn=30,20 (degrees to the right and up), zoom=1.5. Places count from 1, as on the page.

const CLOUD_OF = {dihedral: 'axis', z: 'line'};  // coordinates that settle where an atom is

class Viewer {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    const {elements, bonds, nm_per_unit: unit, frames, reference} = data;
    const count = frames.names.length, size = 3 * elements.length;
    const all = positionsOf(frames.positions, unit);
    this.frames = Array.from({length: count}, (_, i) => all.subarray(i * size, (i + 1) * size));
    this.heavy = [...elements.keys()].filter((i) => elements[i] !== 'H');
    this.reference = {positions: positionsOf(reference.positions, unit), name: reference.name};
    this.home = principalView(this.reference.positions, this.heavy);
    this.extent = extentOf([this.reference.positions, ...this.frames]);
    this.rollouts = data.roll_outs.map((one) => this.rolloutOf(one));
    this.at = {mode: 'frames', frame: 0, rollout: 0, step: 1};
    this.order = 'given';
    this.bonds = pairsOf(bonds);
    this.stage = new Stage(this.find('canvas'), {elements, bonds: this.bonds});
    this.find('.modes').hidden = this.rollouts.length === 0;
    this.listElements();
    this.listen();
    this.read(location.hash);
    addEventListener('hashchange', () => this.read(location.hash));
  }

  find(selector) { return this.root.querySelector(selector); }

  rolloutOf(one) {
    const {nm_per_unit: unit, nats_per_unit: nats} = this.data;
    return {...one, positions: positionsOf(one.positions, unit),
      probability: probabilitiesOf(one.probability, nats),
      placed: probabilitiesOf(one.placed, nats)};
  }


  get inRollout() { return this.at.mode === 'rollout'; }
  get last() { return this.inRollout ? this.data.coordinates.atom.length : this.frames.length; }
  get place() { return this.inRollout ? this.at.step : this.at.frame + 1; }

  goTo(place) {
    if (this.inRollout) this.at.step = within(place, this.last);
    else this.at.frame = within(place, this.last) - 1;
    this.show();
  }

  enter(mode) {
    this.at.mode = mode;
    for (const button of this.root.querySelectorAll('[data-mode]'))
      button.setAttribute('aria-pressed', button.dataset.mode === mode);
    this.fillChoice();
    const range = this.find('input[type=range]');
    range.max = this.last;
    range.setAttribute('aria-label', this.inRollout ? 'Coordinate' : 'Conformation');
    this.find('.conditional').hidden = !this.inRollout;
    this.find('.ghost').textContent = this.inRollout ? 'what it becomes' : 'overlay';
    this.find('[data-do=pin]').hidden = this.inRollout;
    this.show();
  }

  // Which roll-out, or in which order the conformations are.
  fillChoice() {
    const {frames} = this.data, orders = [['given', frames.weight ? 'by weight' : 'of the file']];
    if (frames.energy) orders.push(['energy', 'by energy']);
    if (frames.weight) orders.push(['number', 'as drawn']);
    const choices = this.inRollout ? this.rollouts.map((one, i) => [i, one.name]) : orders;
    this.find('.choice').hidden = choices.length < 2;
    this.find('.choice span').textContent = this.inRollout ? 'Of' : 'Order';
    this.find('.choice select').innerHTML = choices.map(([value, name]) =>
      `<option value="${value}">${escaped(name)}</option>`).join('');
    this.find('.choice select').value = this.inRollout ? this.at.rollout : this.order;
  }

  // The conformation at a place of the order.
  frameAt(place) {
    const {frames} = this.data, all = [...this.frames.keys()];
    if (this.order === 'energy') all.sort((a, b) => frames.energy[a] - frames.energy[b]);
    const numbers = frames.names.map(numberIn);
    if (this.order === 'number') all.sort((a, b) => numbers[a] - numbers[b]);
    return all[place];
  }

  show() {
    const range = this.find('input[type=range]');
    range.value = this.place;
    this.inRollout ? this.showStep() : this.showFrame();
    range.setAttribute('aria-valuetext', this.find('.words').textContent);
    this.find('canvas').setAttribute('aria-label',
      `${this.data.title}: ${this.find('.words').textContent}. Arrow keys turn it.`);
  }

  scene(more) {
    this.stage.scene = {home: this.home, ...this.extent, halo: -1, ghost: null, cloud: null,
      shown: () => true, ...more};
    this.stage.draw();
  }

  get wantsGhost() { return this.find('[data-set=ghost]').checked; }

  showFrame() {
    const i = this.frameAt(this.at.frame), {frames} = this.data;
    const fit = superposition(this.frames[i], this.reference.positions, this.heavy);
    this.scene({positions: moved(this.frames[i], fit),
      ghost: this.wantsGhost ? {positions: this.reference.positions, bonds: this.bonds} : null});
    this.find('.words').textContent =
      `${frames.names[i]} (${this.at.frame + 1} of ${this.frames.length})`;
    const figures = [];
    if (frames.weight) figures.push(['share of all weights', percent(frames.weight[i])]);
    if (frames.energy) figures.push(['energy u', number(frames.energy[i], 2) + ' kT']);
    if (frames.log_q) figures.push(['log q', number(frames.log_q[i], 2)]);
    figures.push([`from ${this.reference.name}, heavy atoms`, number(fit.rmsd, 3) + ' nm']);
    this.setFigures(figures);
  }

  // Step s has the first s coordinates, and shows what the last of them was drawn from.
  showStep() {
    const {coordinates} = this.data, rollout = this.rollouts[this.at.rollout];
    const s = this.at.step, j = s - 1, atom = coordinates.atom[j];
    const waiting = new Set(coordinates.atom.slice(s));
    const fit = superposition(rollout.positions, this.reference.positions, this.heavy);
    const positions = moved(rollout.positions, fit), probability = this.row(rollout.probability, j);
    const settled = !waiting.has(atom);
    const later = this.bonds.filter(([a, b]) => waiting.has(a) || waiting.has(b));
    this.scene({positions, ...extentOf([positions]), shown: (i) => !waiting.has(i),
      halo: settled ? atom : this.bondedTo(j),
      ghost: this.wantsGhost ? {positions, bonds: later} : null,
      cloud: settled ? this.cloudOf(j, positions, rollout, probability, fit.rotation) : null});
    this.showConditional(rollout, j, probability);
    const nats = rollout.log_p[j];
    let log_q = 0;
    for (let k = 0; k <= j; ++k) log_q += rollout.log_drawn[k] - coordinates.log_width[k];
    const placed = this.frames[0].length / 3 - waiting.size;
    this.find('.words').textContent = coordinates.text[j];
    this.setFigures([['coordinate', `${s} of ${this.last}`],
      ['atoms placed', `${placed} of ${this.frames[0].length / 3}`],
      ['probability of the drawn bin', percent(Math.exp(nats))],
      [s === this.last ? 'log q' : 'log q so far', number(log_q, 2)]]);
  }

  row(all, j) {
    const {columns} = this.data;
    return all.subarray(j * columns, (j + 1) * columns);
  }

  // The atom that an unfinished one will hang on, or -1.
  bondedTo(j) {
    return this.data.coordinates.axis ? this.data.coordinates.axis[j][1] : -1;
  }

  // Where the atom would be for each column: around the bond before it, or along the last axis.
  cloudOf(j, positions, rollout, probability, rotation) {
    const {coordinates, columns} = this.data, way = CLOUD_OF[coordinates.kind[j]];
    if (!way) return null;
    const pointOf = (i) => [...positions.subarray(3 * i, 3 * i + 3)];
    const at = pointOf(coordinates.atom[j]), low = coordinates.low[j];
    const column = (coordinates.high[j] - low) / columns, most = Math.max(...probability);
    const places = [], share = [];
    const [a, b] = way === 'axis' ? coordinates.axis[j].map(pointOf) : [];
    for (let k = 0; k < columns; ++k) {
      const by = low + (k + 0.5) * column - rollout.value[j];
      if (way === 'line' && probability[k] < 0.001 * most) continue;
      places.push(...(way === 'axis' ? turnedAbout(at, a, b, by * Math.PI / 180)
        : applied(rotation, 0, 0, by).map((x, m) => x + at[m])));
      share.push(probability[k] / most);
    }
    return {places, share};
  }

  showConditional(rollout, j, probability) {
    const {coordinates, bins_a_column: together} = this.data, curve = coordinates.curve[j];
    const placed = curve < 0 ? null : this.row(rollout.placed, curve);
    const step = {low: coordinates.low[j], high: coordinates.high[j], unit: coordinates.unit[j],
      kind: coordinates.kind[j], circle: coordinates.high[j] - coordinates.low[j] > 359.9,
      value: rollout.value[j], column: rollout.column[j]};
    const svg = this.find('.conditional svg');
    svg.innerHTML = conditionalPlot(step, probability, placed);
    const drawn = `Drawn: ${number(step.value, step.unit === 'nm' ? 4 : 1)} ${step.unit}.`;
    svg.setAttribute('aria-label', `Distribution of the ${step.kind}. ${drawn}`);
    this.find('.conditional figcaption').textContent = drawn +
      (together > 1 ? ` A column is ${together} bins.` : '') +
      (this.stage.scene.cloud ? ' Dots beside the molecule: the same, in space.' : '');
  }

  setFigures(figures) {
    this.find('.figures').innerHTML = figures.map(([name, value]) =>
      `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join('');
  }

  listElements() {
    const there = [...new Set(this.data.elements)].sort();
    const draw = () => {
      const palette = this.stage.palette();
      this.find('.elements').innerHTML = there.map((one) =>
        `<li title="${ELEMENT_NAMES[one] || ''}"><i style="background:` +
        `${palette[one] || palette.other}"></i>${escaped(one)}</li>`).join('');
    };
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
    draw();
  }

  listen() {
    const actions = {back: () => this.goTo(this.place - 1), on: () => this.goTo(this.place + 1),
      play: () => this.play(!this.timer), reset: () => this.stage.reset(),
      pin: () => {
        const i = this.frameAt(this.at.frame);
        const fit = superposition(this.frames[i], this.reference.positions, this.heavy);
        this.reference = {positions: moved(this.frames[i], fit), name: this.data.frames.names[i]};
        this.show();
      }};
    this.root.addEventListener('click', (event) => {
      const {do: action, mode} = event.target.dataset;
      if (mode || (action && action !== 'play')) this.play(false);
      if (action) actions[action]();
      if (mode) this.enter(mode);
    });
    this.find('input[type=range]').addEventListener('input', (event) => {
      this.play(false);
      this.goTo(Number(event.target.value));
    });
    this.root.addEventListener('change', (event) => this.set(event.target));
    const canvas = this.find('canvas');
    canvas.addEventListener('keydown', (event) => {
      if (event.key !== ' ') return;
      this.play(!this.timer);
      event.preventDefault();
    });
    canvas.addEventListener('pointermove', (event) => this.tip(event.offsetX, event.offsetY));
    canvas.addEventListener('pointerleave', () => this.tip(-99, -99));
  }

  set({dataset, value, checked}) {
    if (dataset.set === 'style') this.stage.style = value;
    if (dataset.set === 'hydrogens') this.stage.hydrogens = checked;
    if (dataset.set === 'speed' && this.timer) this.play(true);
    if (dataset.set === 'choice' && this.inRollout) this.at.rollout = Number(value);
    if (dataset.set === 'choice' && !this.inRollout) {
      this.order = value;
      this.at.frame = 0;
    }
    this.show();
  }

  // From the beginning if it is at the end; slowly for readers who want little motion.
  play(on) {
    clearInterval(this.timer);
    this.timer = 0;
    this.find('.play').textContent = on ? 'Pause' : 'Play';
    this.find('.words').setAttribute('aria-live', on ? 'off' : 'polite');
    if (!on) return;
    if (this.place === this.last) this.goTo(1);
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const pause = Math.max(Number(this.find('[data-set=speed]').value), calm ? 1200 : 0);
    this.timer = setInterval(() => {
      this.goTo(this.place + 1);
      if (this.place === this.last) this.play(false);
    }, pause);
  }

  tip(x, y) {
    const i = this.stage.scene ? this.stage.atomAt(x, y) : -1, tip = this.find('.tip');
    tip.hidden = i < 0;
    if (i < 0) return;
    const {names, residues, residue} = this.data;
    tip.textContent = `${names[i]} of ${residues[residue[i]]}`;
    const room = this.find('canvas').clientWidth - tip.offsetWidth - 4;
    tip.style.left = `${Math.min(x + 12, room)}px`;
    tip.style.top = `${Math.max(2, y - 30)}px`;
  }

  read(hash) {
    const asked = new URLSearchParams(hash.slice(1));
    const has = (name) => asked.has(name), of = (name) => Number(asked.get(name));
    if (has('style')) this.find('[data-set=style]').value = asked.get('style');
    if (has('hydrogens')) this.find('[data-set=hydrogens]').checked = of('hydrogens') !== 0;
    if (has('ghost')) this.find('[data-set=ghost]').checked = of('ghost') !== 0;
    this.stage.style = this.find('[data-set=style]').value || 'balls';
    this.stage.hydrogens = this.find('[data-set=hydrogens]').checked;
    if (has('zoom')) this.stage.zoom = of('zoom') || 1;
    if (has('sample')) this.at.frame = within(of('sample'), this.frames.length) - 1;
    const grown = has('rollout') && this.rollouts.length > 0;
    if (grown) this.at.rollout = within(of('rollout'), this.rollouts.length) - 1;
    this.enter(grown ? 'rollout' : 'frames');
    if (grown && has('step')) this.goTo(of('step') || 1);
    if (has('turn')) {
      const [right, up] = asked.get('turn').split(',').map((x) => Number(x) * Math.PI / 180 || 0);
      this.stage.rotate(right, up);
    }
  }
}

function within(place, last) { return Math.min(last, Math.max(1, Math.round(place) || 1)); }

// The centre of the first of these conformations, and a radius that is enough for all.
function extentOf(conformations) {
  const atoms = [...Array(conformations[0].length / 3).keys()];
  const distances = conformations.map((one) => {
    const c = centreOf(one, atoms);
    return Math.max(...atoms.map((i) => Math.hypot(...c.map((x, k) => one[3 * i + k] - x))));
  });
  return {centre: centreOf(conformations[0], atoms), radius: Math.max(...distances) + 0.1};
}

function pairsOf(flat) {
  return Array.from({length: flat.length / 2}, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
}

function numberIn(name) { return Number(/\d+$/.exec(name)); }

// JSON has null for what is infinite.
function number(value, digits) { return value === null ? 'infinite' : axisText(value, digits); }

function percent(share) {
  return share >= 0.0995 ? `${(100 * share).toFixed(0)} %` : `${(100 * share).toPrecision(2)} %`;
}

function escaped(text) {
  return String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

// The section before this script, and its data after it in the same section.
for (const root of document.querySelectorAll('section.viewer:not([data-begun])')) {
  root.dataset.begun = 'yes';
  new Viewer(root, JSON.parse(root.querySelector('script[type="application/json"]').textContent));
}

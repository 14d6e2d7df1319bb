// The stage: a molecule on a canvas, drawn from back to front, with what turns and zooms it.
//
// Element colours are those of Okabe and Ito ("Color universal design", 2008) or greys, which
// colour-blind readers tell apart; `ghost` is a second conformation, `cloud` are the places that an
// atom might have taken.

const PALETTES = {
  light: {paper: '#ffffff', edge: '#1c2430', ghost: '#b8578f', cloud: '#009e73', halo: '#1c2430',
    H: '#dde3ea', C: '#66727f', N: '#0072b2', O: '#d55e00', S: '#e6b800', other: '#b8578f'},
  dark: {paper: '#12171e', edge: '#000000', ghost: '#e497c3', cloud: '#3ccf9f', halo: '#ffffff',
    H: '#eef2f6', C: '#8a96a4', N: '#58b4ee', O: '#ff8f4a', S: '#f0d245', other: '#e497c3'},
};
const ELEMENT_NAMES = {H: 'hydrogen', C: 'carbon', N: 'nitrogen', O: 'oxygen', S: 'sulphur'};
// Bondi, "Van der Waals volumes and radii", J. Phys. Chem. 68 (1964); nm.
const RADII = {H: 0.12, C: 0.17, N: 0.155, O: 0.152, S: 0.18, other: 0.17};
// A share of these radii, or one radius for all atoms, and the radius of bonds; nm.
const STYLES = {
  balls: {share: 0.24, bond: 0.013},
  sticks: {radius: 0.02, bond: 0.02},
  spheres: {share: 1, bond: 0},
};
const FOG = 0.45;  // of what is farthest away
const EYE = 6;  // distance of the eye in radii of the molecule

function mixed(a, b, share) {
  const part = (colour, k) => parseInt(colour.slice(1 + 2 * k, 3 + 2 * k), 16);
  return '#' + [0, 1, 2].map((k) => Math.round(part(a, k) * (1 - share) + part(b, k) * share)
    .toString(16).padStart(2, '0')).join('');
}

class Stage {
  constructor(canvas, molecule) {
    this.canvas = canvas;
    this.molecule = molecule;
    this.scene = null;  // {positions, shown(i), halo, ghost, cloud, home, centre, radius}
    this.style = 'balls';
    this.hydrogens = true;
    this.printing = false;
    this.reset();
    this.listen();
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  reset() {
    this.turn = [1, 0, 0, 0];
    this.zoom = 1;
    this.draw();
  }

  rotate(right, up) {
    this.turn = multiplied(multiplied(turnAbout([1, 0, 0], -up), turnAbout([0, 1, 0], right)),
      this.turn);
    const length = Math.hypot(...this.turn);
    this.turn = this.turn.map((x) => x / length);
    this.draw();
  }

  zoomBy(factor) {
    this.zoom = Math.min(12, Math.max(0.3, this.zoom * factor));
    this.draw();
  }

  // Drags turn, two fingers and the wheel zoom, arrow keys turn, a double click resets.
  listen() {
    const {canvas} = this, fingers = new Map();
    const spread = () => {
      const [a, b] = [...fingers.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, {x: event.clientX, y: event.clientY});
    });
    canvas.addEventListener('pointermove', (event) => {
      const last = fingers.get(event.pointerId), now = {x: event.clientX, y: event.clientY};
      if (!last) return;
      const before = fingers.size === 2 ? spread() : 0;
      fingers.set(event.pointerId, now);
      if (fingers.size === 1) this.rotate((now.x - last.x) / 110, (last.y - now.y) / 110);
      if (before > 0) this.zoomBy(spread() / before);
    });
    for (const end of ['pointerup', 'pointercancel'])
      canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-Math.sign(event.deltaY) * Math.min(60, Math.abs(event.deltaY)) / 400));
    }, {passive: false});
    canvas.addEventListener('dblclick', () => this.reset());
    canvas.addEventListener('keydown', (event) => {
      const turns = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
      if (turns[event.key]) this.rotate(...turns[event.key].map((x) => x * Math.PI / 18));
      else if (event.key === '+' || event.key === '=') this.zoomBy(1.15);
      else if (event.key === '-') this.zoomBy(1 / 1.15);
      else if (event.key === '0' || event.key === 'Home') this.reset();
      else return;
      event.preventDefault();
    });
    addEventListener('beforeprint', () => this.print(true));
    addEventListener('afterprint', () => this.print(false));
  }

  print(begins) {
    this.printing = begins;
    this.draw();
  }

  palette() {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches && !this.printing;
    return dark ? PALETTES.dark : PALETTES.light;
  }

  shows(i) {
    return this.scene.shown(i) && (this.hydrogens || this.molecule.elements[i] !== 'H');
  }

  radiusOf(i) {
    const {share, radius} = STYLES[this.style];
    return radius || share * (RADII[this.molecule.elements[i]] || RADII.other);
  }

  // Points of the scene to the canvas: {x, y, z, scale} in pixels, z in nm towards the reader.
  project(positions) {
    const {width, height} = this.size, {centre, radius} = this.scene;
    const turn = matrixOf(this.turn), eye = EYE * radius;
    const pixels = this.zoom * 0.5 * Math.min(width, 1.25 * height) / radius;
    const points = [];
    for (let i = 0; i < positions.length; i += 3) {
      const home = applied(this.scene.home, positions[i] - centre[0], positions[i + 1] - centre[1],
        positions[i + 2] - centre[2]);
      const [x, y, z] = applied(turn, ...home), scale = pixels * eye / Math.max(eye - z, eye / 4);
      points.push({x: width / 2 + scale * x, y: height / 2 - scale * y, z, scale});
    }
    return points;
  }

  draw() {
    if (!this.scene) return;
    const ratio = Math.min(3, devicePixelRatio || 1), box = this.canvas.getBoundingClientRect();
    this.size = {width: box.width, height: box.height};
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(box.height * ratio);
    const pen = this.pen = this.canvas.getContext('2d'), palette = this.palette();
    pen.scale(ratio, ratio);
    const {ghost, cloud, positions, radius} = this.scene;
    const points = this.points = this.project(positions);
    const fog = (z) => FOG * Math.min(1, Math.max(0, (radius - z) / (2 * radius)));
    const parts = [...this.bonds(points, (i) => this.colourOf(i, palette), fog),
      ...this.balls(points, palette, fog)];
    if (ghost) parts.push(...this.ghost(ghost, palette));
    if (cloud) parts.push(...this.cloud(cloud, palette));
    parts.sort((a, b) => a.z - b.z);
    for (const part of parts) part.draw();
    if (this.scene.halo >= 0) this.halo(points[this.scene.halo], palette);
  }

  colourOf(i, palette) {
    return palette[this.molecule.elements[i]] || palette.other;
  }

  halo(point, palette) {
    this.pen.strokeStyle = palette.halo;
    this.pen.lineWidth = 1.5;
    this.pen.beginPath();
    this.pen.arc(point.x, point.y, this.radiusOf(this.scene.halo) * point.scale + 5, 0, 7);
    this.pen.stroke();
  }

  balls(points, palette, fog) {
    const parts = [];
    points.forEach((point, i) => {
      if (!this.shows(i)) return;
      const colour = mixed(this.colourOf(i, palette), palette.paper, fog(point.z));
      const rim = mixed(mixed(colour, palette.edge, 0.45), palette.paper, fog(point.z) / 2);
      parts.push({z: point.z, draw: () => this.ball(point, this.radiusOf(i), colour, rim)});
    });
    return parts;
  }

  ball(point, radius, colour, rim) {
    const {pen} = this, r = Math.max(0.6, radius * point.scale);
    const shade = pen.createRadialGradient(point.x - 0.35 * r, point.y - 0.4 * r, 0.05 * r,
      point.x, point.y, r);
    shade.addColorStop(0, mixed(colour, '#ffffff', 0.65));
    shade.addColorStop(0.5, colour);
    shade.addColorStop(1, rim);
    pen.fillStyle = shade;
    pen.beginPath();
    pen.arc(point.x, point.y, r, 0, 7);
    pen.fill();
  }

  // Two halves a bond, each in the colour of its atom, from the surface of its ball.
  bonds(points, colourOf, fog) {
    const parts = [], width = STYLES[this.style].bond, {paper, edge} = this.palette();
    if (width === 0) return parts;
    for (const [i, j] of this.molecule.bonds) {
      if (!this.shows(i) || !this.shows(j)) continue;
      for (const [a, b] of [[i, j], [j, i]]) {
        const p = points[a], q = points[b], at = this.surfaceOf(a, b, width);
        const on = (share) => ({x: p.x + share * (q.x - p.x), y: p.y + share * (q.y - p.y)});
        const z = (3 * p.z + q.z) / 4, colour = mixed(colourOf(a), paper, fog(z));
        parts.push({z, draw: () => this.stick(on(at), on(0.505), 2 * width * p.scale, colour,
          mixed(colour, edge, 0.35))});
      }
    }
    return parts;
  }

  // Which share of the bond from atom a to atom b lies within the ball of a.
  surfaceOf(a, b, width) {
    const {positions} = this.scene, radius = this.radiusOf(a);
    const inside = Math.sqrt(Math.max(0, radius * radius - width * width));
    const length = Math.hypot(...[0, 1, 2].map((k) => positions[3 * a + k] - positions[3 * b + k]));
    return Math.min(0.4, inside / length);
  }

  stick(from, to, width, colour, rim) {
    const {pen} = this;
    const strokes = [[rim, 1, 0], [colour, 0.72, 0], [mixed(colour, '#ffffff', 0.4), 0.22, -0.14]];
    for (const [style, share, shift] of strokes) {
      pen.strokeStyle = style;
      pen.lineWidth = Math.max(0.6, share * width);
      pen.beginPath();
      pen.moveTo(from.x + shift * width, from.y + shift * width);
      pen.lineTo(to.x + shift * width, to.y + shift * width);
      pen.stroke();
    }
  }

  // Bonds alone, in one pale colour.
  ghost({positions, bonds}, palette) {
    const points = this.project(positions), {elements} = this.molecule;
    const hidden = (i) => !this.hydrogens && elements[i] === 'H';
    return bonds.filter(([i, j]) => !hidden(i) && !hidden(j)).map(([i, j]) => {
      const p = points[i], q = points[j];
      return {z: (p.z + q.z) / 2, draw: () => {
        this.pen.lineCap = 'round';
        this.pen.strokeStyle = mixed(palette.ghost, palette.paper, 0.4);
        this.pen.lineWidth = 0.016 * p.scale;
        this.pen.beginPath();
        this.pen.moveTo(p.x, p.y);
        this.pen.lineTo(q.x, q.y);
        this.pen.stroke();
        this.pen.lineCap = 'butt';
      }};
    });
  }

  // Places with what share of the largest probability each has: the area of a dot.
  cloud({places, share}, palette) {
    return this.project(places).map((point, k) => ({z: point.z, draw: () => {
      const r = Math.max(0.7, 0.02 * Math.sqrt(share[k]) * point.scale);
      this.pen.globalAlpha = share[k] > 0.001 ? 0.75 : 0.35;
      this.pen.fillStyle = palette.cloud;
      this.pen.beginPath();
      this.pen.arc(point.x, point.y, r, 0, 7);
      this.pen.fill();
      this.pen.globalAlpha = 1;
    }}));
  }

  // The atom nearest to the reader at a place of the canvas, or -1.
  atomAt(x, y) {
    let found = -1;
    (this.points || []).forEach((p, i) => {
      const inside = Math.hypot(p.x - x, p.y - y) < this.radiusOf(i) * p.scale + 3;
      if (inside && this.shows(i) && (found < 0 || p.z > this.points[found].z)) found = i;
    });
    return found;
  }
}

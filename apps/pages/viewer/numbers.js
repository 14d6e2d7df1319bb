// Numbers of the viewer: what the page holds as base64, and rotations.
//
// Positions are flat arrays [x0, y0, z0, x1, ...]; a matrix is a list of rows; a rotation is a unit
// quaternion [w, x, y, z] or its matrix.

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer;
}

// Little-endian, as the machines are that browsers run on.
function positionsOf(base64, nmPerUnit) {
  return Float32Array.from(new Int16Array(bytesOf(base64)), (k) => k * nmPerUnit);
}

// Of -log p in units; the largest unit stands for all that is less probable.
function probabilitiesOf(base64, natsPerUnit) {
  const none = 65535;
  return Float32Array.from(new Uint16Array(bytesOf(base64)),
    (k) => (k === none ? 0 : Math.exp(-k * natsPerUnit)));
}

function multiplied([a, b, c, d], [e, f, g, h]) {
  return [a * e - b * f - c * g - d * h, a * f + b * e + c * h - d * g,
    a * g - b * h + c * e + d * f, a * h + b * g - c * f + d * e];
}

function turnAbout(axis, angle) {
  const s = Math.sin(angle / 2);
  return [Math.cos(angle / 2), s * axis[0], s * axis[1], s * axis[2]];
}

function matrixOf([w, x, y, z]) {
  return [[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]];
}

function applied(matrix, x, y, z) {
  return matrix.map((row) => row[0] * x + row[1] * y + row[2] * z);
}

// Eigenvalues and eigenvectors of a symmetric matrix, the largest first: Jacobi's rotations, each
// of which makes one number beside the diagonal zero.
function eigenvectors(symmetric) {
  const n = symmetric.length;
  const a = symmetric.map((row) => [...row]);
  const v = a.map((_, i) => a.map((__, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 30; ++sweep) {
    for (let p = 0; p < n; ++p) {
      for (let q = p + 1; q < n; ++q) {
        if (a[p][q] === 0) continue;
        const angle = Math.atan2(2 * a[p][q], a[q][q] - a[p][p]) / 2;
        const c = Math.cos(angle), s = Math.sin(angle);
        const turn = (row, i, j) => {
          [row[i], row[j]] = [c * row[i] - s * row[j], s * row[i] + c * row[j]];
        };
        for (let k = 0; k < n; ++k) turn(a[k], p, q);
        [a[p], a[q]] = [a[p].map((x, k) => c * x - s * a[q][k]),
          a[p].map((x, k) => s * x + c * a[q][k])];
        for (let k = 0; k < n; ++k) turn(v[k], p, q);
      }
    }
  }
  return a.map((row, i) => ({value: row[i], vector: v.map((of) => of[i])}))
    .sort((one, other) => other.value - one.value);
}

function centreOf(positions, atoms) {
  const sum = [0, 0, 0];
  for (const i of atoms) for (let k = 0; k < 3; ++k) sum[k] += positions[3 * i + k];
  return sum.map((x) => x / atoms.length);
}

// The rotation that takes `from` nearest to `to` over these atoms, both about their centres, and
// the root mean square distance that is left. Source: Horn, "Closed-form solution of absolute
// orientation using unit quaternions", J. Opt. Soc. Am. A 4 (1987).
function superposition(from, to, atoms) {
  const a = centreOf(from, atoms), b = centreOf(to, atoms);
  const m = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  let squares = 0;
  for (const i of atoms) {
    const x = a.map((c, k) => from[3 * i + k] - c), y = b.map((c, k) => to[3 * i + k] - c);
    for (let k = 0; k < 3; ++k) {
      squares += x[k] * x[k] + y[k] * y[k];
      for (let l = 0; l < 3; ++l) m[k][l] += x[k] * y[l];
    }
  }
  const [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = m;
  const best = eigenvectors([
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy]])[0];
  const rmsd = Math.sqrt(Math.max(0, squares - 2 * best.value) / atoms.length);
  return {rotation: matrixOf(best.vector), from: a, to: b, rmsd};
}

function moved(positions, {rotation, from, to}) {
  const out = new Float32Array(positions.length);
  for (let i = 0; i < positions.length; i += 3) {
    const turned = applied(rotation, positions[i] - from[0], positions[i + 1] - from[1],
      positions[i + 2] - from[2]);
    for (let k = 0; k < 3; ++k) out[i + k] = turned[k] + to[k];
  }
  return out;
}

// The rotation that lays the longest axis of a molecule across and the shortest towards the reader.
function principalView(positions, atoms) {
  const c = centreOf(positions, atoms);
  const spread = [0, 1, 2].map((k) => [0, 1, 2].map((l) => atoms.reduce((sum, i) =>
    sum + (positions[3 * i + k] - c[k]) * (positions[3 * i + l] - c[l]), 0)));
  const [x, y] = eigenvectors(spread).map((one) => one.vector);
  const z = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]];
  return [x, y, z];
}

// Point `at` turned by an angle about the axis from point `a` to point `b`.
function turnedAbout(at, a, b, angle) {
  const axis = b.map((x, k) => x - a[k]), length = Math.hypot(...axis);
  const turned = applied(matrixOf(turnAbout(axis.map((x) => x / length), angle)),
    at[0] - b[0], at[1] - b[1], at[2] - b[2]);
  return turned.map((x, k) => x + b[k]);
}

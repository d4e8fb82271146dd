/**
 * A font of strokes, for pictures that are drawn without any other font. A glyph is a list of
 * lines, a line a list of points, a point two digits: x from the left, and y from the top of a
 * capital (0) over the top of a small letter (2) to the baseline (6) and below it (8). A line with
 * the same point twice is a dot.
 */
const glyphs: Readonly<Record<string, string>> = {
  A: '062046;1434',
  B: '003041423303;334445360600',
  C: '4130100105163645',
  D: '00204244260600',
  E: '40000646;0333',
  F: '400006;0333',
  G: '41301001051636454323',
  H: '0006;4046;0343',
  I: '0006',
  J: '3035261605',
  K: '0006;4004;1346',
  L: '000646',
  M: '0600234046',
  N: '06004640',
  O: '103041453616050110',
  P: '06003041423303',
  Q: '103041453616050110;2446',
  R: '06003041423303;2346',
  S: '413010010213334445361605',
  T: '0040;2026',
  U: '000516364540',
  V: '002640',
  W: '0016223640',
  X: '0046;4006',
  Y: '002340;2326',
  Z: '00400646',
  a: '12324346;441405163645',
  b: '0006;0312324345361605',
  c: '4332120305163645',
  d: '4046;4332120305163645',
  e: '04444332120305163645',
  f: '30201116;0232',
  g: '42473818;4332120305163645',
  h: '0006;0312324346',
  i: '0206;0000',
  j: '22271808;2020',
  k: '0006;3205;1436',
  l: '0006',
  m: '0206;03122326;23324346',
  n: '0206;0312324346',
  o: '123243453616050312',
  p: '0208;0312324345361605',
  q: '4248;4332120305163645',
  r: '0206;04122232',
  s: '4212031434453606',
  t: '10152636;0232',
  u: '0205163645;4246',
  v: '022642',
  w: '0216233642',
  x: '0246;4206',
  y: '0226;421808',
  z: '02420646',
  0: '103041453616050110',
  1: '011016',
  2: '01103041420646',
  3: '01103041423313;334445361605',
  4: '36300444',
  5: '4000033344453606',
  6: '4130100105163645443303',
  7: '004016',
  8: '13334241301001021304051636454433',
  9: '0516364541301001021343',
  '.': '0606',
  ',': '0607',
  ':': '0303;0606',
  ';': '0303;0607',
  '-': '0323',
  '−': '0343',
  '–': '0343',
  '+': '0343;2125',
  '=': '0242;0444',
  '≠': '0242;0444;1531',
  '<': '310335',
  '>': '013305',
  '×': '0145;4105',
  '·': '0303',
  '/': '0640',
  '(': '10020416',
  ')': '00121406',
  '[': '10000616',
  ']': '00101606',
  '|': '0007',
  '%': '0640;0101;4545',
  _: '0646',
  "'": '0001',
  '’': '0001',
  '"': '0001;2021',
  '?': '01103041422324;2626',
  '!': '0004;0606',
  '*': '0145;4105;2024',
  '∂': '011020434536160504133344',
  '∞': '041324354433241504',
  '…': '0606;2626;4646',
  σ: '421203051636454332',
  ' ': '',
}

/** A box, for a missing letter. */
const MISSING = '0040460600'

/** The size of a unit, as a share of the font size: a capital is 0.72 high. */
const [ACROSS, DOWN] = [0.088, 0.12]
const BASELINE = 6
const SPACE = 3

/** Lines of x, y, x, y … from the start of the baseline, and the width of the text. */
export function strokesOf(
  text: string,
  size: number,
): { readonly lines: readonly (readonly number[])[]; readonly width: number } {
  let x = 0
  const lines: number[][] = []
  for (const letter of text) {
    const glyph = Object.hasOwn(glyphs, letter) ? glyphs[letter] : MISSING
    let reach = letter === ' ' ? SPACE - 2 : 0
    for (const stroke of glyph === '' ? [] : glyph.split(';')) {
      const line: number[] = []
      for (let i = 0; i < stroke.length; i += 2) {
        const [across, down] = [Number(stroke[i]), Number(stroke[i + 1])]
        reach = Math.max(reach, across)
        line.push((x + across) * ACROSS * size, (down - BASELINE) * DOWN * size)
      }
      lines.push(line)
    }
    x += reach + 2
  }
  return { lines, width: Math.max(x - 2, 0) * ACROSS * size }
}

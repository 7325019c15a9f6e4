(function () {
  'use strict';
  var d = JSON.parse(document.getElementById('data').textContent);
  if (typeof uPlot === 'undefined') { return; }
  var css = getComputedStyle(document.documentElement);
  var tone = function (name) { return css.getPropertyValue(name).trim(); };
  var good = tone('--good'), watch = tone('--watch'), bad = tone('--bad'), dim = tone('--dim'), line = tone('--line'), fg = tone('--fg');
  var plots = [];
  var sync = uPlot.sync('run');
  var utc = function (ts) { return uPlot.tzDate(new Date(ts * 1e3), 'Etc/UTC'); };

  function bands(u) {
    var ctx = u.ctx, top = u.bbox.top, height = u.bbox.height;
    ctx.save();
    ctx.font = (11 * devicePixelRatio) + 'px system-ui';
    d.bands.forEach(function (b, i) {
      var end = b.to > b.from ? b.to : u.scales.x.max;
      var from = Math.max(u.valToPos(b.from, 'x', true), u.bbox.left);
      var to = Math.min(u.valToPos(end, 'x', true), u.bbox.left + u.bbox.width);
      if (to <= from) { return; }
      ctx.fillStyle = b.kind === 'outage' ? watch : good;
      ctx.globalAlpha = b.kind === 'outage' ? 0.22 : (i % 2 ? 0.11 : 0.06);
      ctx.fillRect(from, top, to - from, height);
      ctx.globalAlpha = 0.85;
      ctx.fillStyle = b.kind === 'outage' ? watch : dim;
      if (to - from > 30) { ctx.fillText(b.name, from + 4, top + (b.kind === 'outage' ? 26 : 13) * devicePixelRatio); }
    });
    ctx.restore();
  }

  function axis(extra) {
    return Object.assign({ stroke: fg, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, size: 70 }, extra || {});
  }
  function compact(u, values) {
    return values.map(function (v) {
      if (v === null) { return ''; }
      if (Math.abs(v) >= 1e6) { return (v / 1e6) + 'M'; }
      if (Math.abs(v) >= 1e4) { return (v / 1e3) + 'k'; }
      return String(+v.toPrecision(6));
    });
  }
  function show(unit) {
    return function (u, v) { return v === null || v === undefined ? '–' : (+v.toPrecision(4)).toLocaleString('en') + unit; };
  }
  function series(label, color, unit, extra) {
    return Object.assign({ label: label, stroke: color, width: 1.6, value: show(unit || ''), spanGaps: false, points: { show: false } }, extra || {});
  }

  function draw(id, data, list, options) {
    var at = document.getElementById('chart-' + id);
    if (!data[0].length) { at.textContent = 'no samples'; at.className = 'dim'; return; }
    var o = Object.assign({
      width: at.clientWidth, height: 210, tzDate: utc,
      cursor: { sync: { key: 'run', setSeries: false }, drag: { x: true, y: false } },
      scales: { x: { time: true } },
      axes: [axis({ size: 34 }), axis({ values: compact })],
      series: [{ label: 'time', value: '{YYYY}-{MM}-{DD} {HH}:{mm}:{ss} UTC' }].concat(list),
      hooks: { drawClear: [bands], setScale: [zoom] }
    }, options || {});
    var u = new uPlot(o, data, at);
    u.lakeproofX = true;
    sync.sub(u);
    plots.push(u);
  }
  var zooming = false;
  function zoom(u, key) {
    if (key !== 'x' || zooming || !u.lakeproofX) { return; }
    zooming = true;
    plots.forEach(function (p) { if (p !== u) { p.setScale('x', { min: u.scales.x.min, max: u.scales.x.max }); } });
    zooming = false;
  }

  var c = d.columns, dots = { show: true, size: 6 };
  var range = { x: { time: true, range: function (u, min, max) { return min === null ? [d.t0, d.t0 + 1] : [min, max]; } } };
  draw('rate', [d.x, c.intended, c.acked, c.landed], [series('intended', dim, '/s', { dash: [6, 4] }), series('acknowledged', good, '/s'), series('landed in the table', watch, '/s')], { scales: range });
  draw('freshness', [d.x, c.freshP50, c.freshP99, c.freshMax], [series('p50', good, ' s'), series('p99', watch, ' s'), series('max', bad, ' s', { dash: [3, 3] })]);
  draw('lag', [d.x, c.lag], [series('lag', good, '', { fill: tone('--wash') })]);
  draw('ack', [d.x, c.ackP50, c.ackP99], [series('p50', good, ' s'), series('p99', watch, ' s')]);
  function points(list, pick) {
    return [list.map(function (b) { return d.t0 + b.at_seconds; })].concat(pick.map(function (k) { return list.map(function (b) { return b[k]; }); }));
  }
  var within = { x: { time: true, range: function () { return d.x.length ? [d.x[0], d.x[d.x.length - 1] + 1] : [d.t0, d.t0 + 1]; } } };
  draw('batches', points(d.batches || [], ['duration_seconds', 'records']), [series('duration', good, ' s', { points: dots }), series('records', dim, '', { scale: 'n', dash: [4, 4], points: dots })], { axes: [axis({ size: 34 }), axis({ values: compact }), axis({ scale: 'n', side: 1, values: compact, grid: { show: false } })] });
  draw('snapshots', points(d.snapshots || [], ['records', 'files']), [series('rows', good, '', { points: dots }), series('files', watch, '', { scale: 'n', points: dots })], { axes: [axis({ size: 34 }), axis({ values: compact }), axis({ scale: 'n', side: 1, values: compact, grid: { show: false } })] });
  draw('self', [d.x, c.cpu, c.rss.map(function (v) { return v === null ? null : v / 1048576; })], [series('CPU', good, ' cores'), series('memory', watch, ' MiB', { scale: 'n' })], { axes: [axis({ size: 34 }), axis({ values: compact }), axis({ scale: 'n', side: 1, values: compact, grid: { show: false } })] });

  // Percentiles: x is -log10(1 - p), so 90, 99, 99.9 are evenly spaced.
  var names = Object.keys(d.curves).filter(function (k) { return d.curves[k] && d.curves[k].length; });
  if (names.length) {
    var ps = d.curves[names[0]].map(function (p) { return p[0]; }).filter(function (p) { return p < 100; });
    var colors = { 'ack corrected': good, 'ack service': dim, scheduler: line, consume: watch, freshness: bad };
    var data = [ps.map(function (p) { return -Math.log10(1 - p / 100); })];
    var list = names.map(function (k) {
      data.push(ps.map(function (p) { var hit = d.curves[k].find(function (q) { return q[0] === p; }); return hit && hit[1] > 0 ? hit[1] : null; }));
      return series(k, colors[k] || fg, ' s');
    });
    var at = document.getElementById('chart-curve');
    new uPlot({
      width: at.clientWidth, height: 240, scales: { x: { time: false }, y: { distr: 3 } },
      axes: [axis({ size: 34, splits: function () { return [0, 0.301, 1, 2, 3, 4]; }, values: function (u, v) { return v.map(function (x) { return 'p' + +(100 * (1 - Math.pow(10, -x))).toPrecision(6); }); } }),
        axis({ values: function (u, v) { return v.map(function (x) { return x === null ? '' : String(x); }); } })],
      series: [{ label: 'percentile', value: function (u, v) { return v === null ? '–' : 'p' + +(100 * (1 - Math.pow(10, -v))).toPrecision(6); } }].concat(list)
    }, data, at);
  }
  addEventListener('resize', function () {
    plots.forEach(function (p) { p.setSize({ width: p.root.parentElement.clientWidth, height: 210 }); });
  });
})();

(function () {
  'use strict';
  var root = document.documentElement;
  root.classList.add('scripted');

  // A button to copy, beside each command and query.
  document.querySelectorAll('.copy').forEach(function (at) {
    var text = at.querySelector('code').textContent, button = document.createElement('button');
    if (!text) { return; }
    button.type = 'button';
    button.textContent = 'copy';
    button.addEventListener('click', function () {
      var said = function (word) {
        button.textContent = word;
        setTimeout(function () { button.textContent = 'copy'; }, 1500);
      };
      if (!navigator.clipboard) { getSelection().selectAllChildren(at.querySelector('code')); said('selected'); return; }
      navigator.clipboard.writeText(text).then(function () { said('copied'); }, function () {
        getSelection().selectAllChildren(at.querySelector('code'));
        said('selected');
      });
    });
    at.appendChild(button);
  });
  if (typeof uPlot === 'undefined') { return; }

  var d = JSON.parse(document.getElementById('data').textContent);
  var plots = [], height = 200, view = [0, d.end];
  var tone = function (name) { return getComputedStyle(root).getPropertyValue('--' + name).trim(); };
  var pad = function (n) { return (n < 10 ? '0' : '') + n; };

  // since writes seconds since the start: 0:07, 1:02:03, and 0:07.250 for parts.
  function since(v) {
    var sign = v < 0 ? '-' : '', a = Math.abs(v), ms = Math.round(a * 1000) % 1000, s = Math.floor(Math.round(a * 1000) / 1000);
    var out = (s >= 3600 ? Math.floor(s / 3600) + ':' + pad(Math.floor(s / 60) % 60) : Math.floor(s / 60)) + ':' + pad(s % 60);
    return sign + out + (ms ? '.' + String(ms + 1000).slice(1).replace(/0+$/, '') : '');
  }
  // moment is ISO time in UTC with the reader's own time beside it.
  function moment(v) {
    if (v === null || v === undefined) { return '–'; }
    var t = new Date(d.t0 + v * 1000), off = -t.getTimezoneOffset(), a = Math.abs(off);
    var local = new Date(t.getTime() + off * 60000).toISOString().slice(11, 19);
    return '+' + since(Math.round(v * 10) / 10) + '  ' + t.toISOString().slice(0, 19) + 'Z' +
      (off ? ' (' + local + (off < 0 ? '-' : '+') + pad(Math.floor(a / 60)) + ':' + pad(a % 60) + ')' : '');
  }
  function number(v) { return (+v.toPrecision(4)).toLocaleString('en', { maximumFractionDigits: 6 }); }
  function seconds(v) {
    var a = Math.abs(v);
    if (a === 0) { return '0 s'; }
    return a < 0.001 ? number(v * 1e6) + ' µs' : a < 1 ? number(v * 1e3) + ' ms' : number(v) + ' s';
  }
  function bytes(v) { return v >= 1 << 30 ? number(v / (1 << 30)) + ' GiB' : number(v / (1 << 20)) + ' MiB'; }
  var words = {
    count: number, rate: function (v) { return number(v) + '/s'; }, seconds: seconds, bytes: bytes,
    cores: function (v) { return number(v) + ' cores'; }
  };
  function short(v) {
    return Math.abs(v) >= 1e6 ? +(v / 1e6).toPrecision(4) + ' M' : Math.abs(v) >= 1e4 ? +(v / 1e3).toPrecision(4) + ' k' : String(+v.toPrecision(4));
  }
  var ticks = { count: short, rate: short, cores: short, seconds: seconds, bytes: bytes };

  function hatch(ctx, color) {
    var c = document.createElement('canvas'), n = 8 * devicePixelRatio;
    c.width = c.height = n;
    var g = c.getContext('2d');
    g.strokeStyle = color;
    g.lineWidth = 1.5 * devicePixelRatio;
    g.beginPath();
    g.moveTo(0, n); g.lineTo(n, 0); g.moveTo(-n / 2, n / 2); g.lineTo(n / 2, -n / 2); g.moveTo(n / 2, n * 1.5); g.lineTo(n * 1.5, n / 2);
    g.stroke();
    return ctx.createPattern(c, 'repeat');
  }
  // bands draws the phases as a strip above the chart and a shade in it, and
  // outages as hatched columns.
  function bands(u) {
    var ctx = u.ctx, px = devicePixelRatio, box = u.bbox, odd = 0;
    ctx.save();
    ctx.font = 11 * px + 'px system-ui, sans-serif';
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'left';
    d.bands.forEach(function (b) {
      var from = Math.max(u.valToPos(b.from, 'x', true), box.left);
      var to = Math.min(u.valToPos(b.to, 'x', true), box.left + box.width);
      odd += b.down ? 0 : 1;
      if (to <= from) { return; }
      to = Math.max(to, from + 2 * px);
      if (b.down) {
        ctx.globalAlpha = 0.55;
        ctx.fillStyle = hatch(ctx, tone('vermilion'));
      } else {
        ctx.globalAlpha = 1;
        ctx.fillStyle = odd % 2 ? tone('wash') : tone('bg');
      }
      ctx.fillRect(from, box.top, to - from, box.height);
      ctx.globalAlpha = 1;
      var y = box.top - (b.down ? 10 : 25) * px;
      ctx.fillStyle = b.down ? tone('vermilion') : tone('line');
      ctx.fillRect(from, box.top - (b.down ? 2 : 18) * px, Math.max(to - from - px, px), 2 * px);
      ctx.fillStyle = b.down ? tone('bad') : tone('dim');
      var label = (b.down ? '✘ ' : '') + b.name;
      if (b.down || ctx.measureText(label).width < to - from) {
        ctx.fillText(label, Math.min(from, box.left + box.width - ctx.measureText(label).width), y);
      }
    });
    ctx.restore();
  }
  // marks draws limits as dashed lines with their words.
  function marks(list) {
    return function (u) {
      var ctx = u.ctx, px = devicePixelRatio, box = u.bbox;
      ctx.save();
      ctx.font = 11 * px + 'px system-ui, sans-serif';
      ctx.textAlign = 'left';
      ctx.textBaseline = 'alphabetic';
      (list || []).forEach(function (m) {
        var y = u.valToPos(m.value, 'y', true);
        if (!(y >= box.top && y <= box.top + box.height)) { return; }
        ctx.strokeStyle = ctx.fillStyle = tone('bad');
        ctx.setLineDash([6 * px, 4 * px]);
        ctx.lineWidth = px;
        ctx.beginPath(); ctx.moveTo(box.left, y); ctx.lineTo(box.left + box.width, y); ctx.stroke();
        var w = ctx.measureText(m.label).width;
        ctx.fillText(m.label, box.left + box.width - w - 4 * px, y + (y - box.top < 16 * px ? 12 : -5) * px);
      });
      ctx.restore();
    };
  }

  var sizes = [];
  for (var p2 = 10; p2 < 44; p2++) { sizes.push(Math.pow(2, p2)); }
  function axis(extra) {
    return Object.assign({
      stroke: tone('dim'), grid: { stroke: tone('line'), width: 1 }, ticks: { stroke: tone('line'), width: 1, size: 5 },
      font: '12px system-ui, sans-serif', size: 64
    }, extra);
  }
  var steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400];
  function labels(format) { return function (u, v) { return v.map(function (x) { return x === null ? '' : format(x); }); }; }
  function lines(c) {
    return c.lines.map(function (l) {
      var unit = l.right ? c.right : c.unit;
      return {
        label: l.label, stroke: tone(l.color), width: l.points ? 1.2 : 1.6, dash: l.dash ? [5, 4] : undefined, scale: l.right ? 'r' : 'y',
        spanGaps: !!l.joined, points: { show: !!l.points && c.x.length < 400, size: 5, fill: tone(l.color) },
        fill: c.id === 'lag' && !l.dash ? tone('wash') : undefined,
        value: function (u, v) { return v === null || v === undefined ? '–' : words[unit](v); }
      };
    });
  }
  // top makes room above the highest value, and for a limit that is near.
  function top(c) {
    return function (u, min, max) {
      var most = max || 0;
      (c.marks || []).forEach(function (m) { if (m.value <= 3 * most || !most) { most = Math.max(most, m.value); } });
      return [0, most > 0 ? most * 1.12 : 1];
    };
  }
  var busy = false;
  function zoomAll(min, max) {
    if (busy) { return; }
    busy = true;
    view = [min, max];
    plots.forEach(function (p) { p.setScale('x', { min: min, max: max }); });
    busy = false;
  }
  function draw(c) {
    var at = document.getElementById('chart-' + c.id);
    at.textContent = '';
    var axes = [axis({ size: 30, values: labels(since), incrs: steps }), axis({ values: labels(ticks[c.unit]) })];
    var right = c.lines.some(function (l) { return l.right; });
    if (right) { axes.push(axis({ scale: 'r', side: 1, values: labels(ticks[c.right]), grid: { show: false }, incrs: c.right === 'bytes' ? sizes : undefined })); }
    plots.push(new uPlot({
      width: at.clientWidth, height: height, padding: [36, right ? 0 : 64, 0, 0],
      cursor: {
        sync: { key: 'run', scales: ['x', null] }, drag: { x: true, y: false, setScale: false }, y: false,
        bind: { dblclick: function () { return function () { zoomAll(0, d.end); return null; }; } }
      },
      scales: { x: { time: false, min: view[0], max: view[1] }, y: { range: top(c) }, r: { range: top({}) } },
      axes: axes, series: [{ label: 'time', value: function (u, v) { return moment(v); } }].concat(lines(c)),
      hooks: {
        drawClear: [bands], draw: [marks(c.marks)],
        setSelect: [function (u) {
          if (u.select.width < 3) { return; }
          zoomAll(u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x'));
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }]
      }
    }, [c.x].concat(c.lines.map(function (l) { return l.y; })), at));
  }
  function percent(x) { return x <= 1 ? 'p0' : 'p' + +(100 - 100 / x).toFixed(6); }
  var curvePlot = null;
  function curve() {
    var c = d.curve, at = document.getElementById('chart-curve');
    if (!at || !c.lines) { return; }
    at.textContent = '';
    var whole = function (v) { return Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-9; };
    curvePlot = new uPlot({
      width: at.clientWidth, height: 260, padding: [12, 64, 0, 0],
      cursor: { drag: { x: false, y: false }, y: false },
      scales: { x: { time: false, distr: 3 }, y: { distr: 3 } },
      axes: [
        axis({ size: 30, splits: function () { return [1, 2, 10, 100, 1000, 10000, 100000]; }, filter: function (u, v) { return v; }, values: labels(percent) }),
        axis({ filter: function (u, v) { return v.map(function (x) { return whole(x) ? x : null; }); }, values: labels(seconds) })
      ],
      series: [{ label: 'percentile', value: function (u, v) { return v === null || v === undefined ? '–' : percent(v); } }].concat(lines(c))
    }, [c.x].concat(c.lines.map(function (l) { return l.y.map(function (v) { return v > 0 ? v : null; }); })), at);
  }
  function all() {
    plots.forEach(function (p) { p.destroy(); });
    if (curvePlot) { curvePlot.destroy(); }
    plots = [];
    (d.charts || []).forEach(draw);
    curve();
  }
  all();
  var timer = 0;
  var again = function () { clearTimeout(timer); timer = setTimeout(all, 120); };
  addEventListener('resize', again);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
})();

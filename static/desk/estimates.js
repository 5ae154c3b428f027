/* Draws the estimates' charts with the Chart.js that unfold brings, in the desk's colours and their dark mode. */
(() => {
  const series = JSON.parse(document.getElementById('estimate-series').textContent);
  const labels = series.days.map((day) =>
    new Date(`${day}T12:00`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' }));
  const percent = (values) => values.map((value) => (value === null ? null : value * 100));

  const CHARTS = {
    error: (ink) => ({ lines: [line('Ours', series.error, ink.accent), line('Promise', series.promise_error, ink.amber)], unit: ' days', zero: true }),
    coverage: (ink) => ({ lines: [line('Came true', percent(series.coverage), ink.accent), dashed('Told for', percent(series.nominal), ink)], unit: ' %', max: 100 }),
    bias: (ink) => ({ bars: true, lines: [{ label: 'Bias', data: series.bias, backgroundColor: ink.accent, borderRadius: 3, maxBarThickness: 22 }], unit: ' days' }),
    late: (ink) => ({ lines: [line('Came late', percent(series.late), ink.amber), dashed('Our chances', percent(series.expected_late), ink)], unit: ' %', zero: true }),
  };

  function line(label, data, color) {
    return { label, data, borderColor: color, backgroundColor: color, borderWidth: 2, pointRadius: data.length > 20 ? 0 : 3, pointHoverRadius: 4, tension: 0.25, spanGaps: true, clip: 6 };
  }

  function dashed(label, data, ink) {
    return { ...line(label, data, ink.faint), borderDash: [5, 4], pointRadius: 0 };
  }

  function ink() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => paint(style.getPropertyValue(name).trim());
    return { accent: of('--dk-accent'), amber: of('--dk-amber'), faint: of('--dk-faint'), line: of('--dk-line'), strong: of('--dk-strong'), bg: of('--dk-bg') };
  }

  /* A colour as the canvas takes it: variables and mixes are resolved by painting a pixel. */
  function paint(value) {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = value;
    const context = document.createElement('canvas').getContext('2d');
    context.fillStyle = getComputedStyle(probe).color;
    probe.remove();
    context.fillRect(0, 0, 1, 1);
    const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
    return `rgb(${r} ${g} ${b})`;
  }

  function draw(canvas, colours) {
    const { lines, bars, unit, zero, max } = CHARTS[canvas.dataset.chart](colours);
    return new Chart(canvas, {
      type: bars ? 'bar' : 'line',
      data: { labels, datasets: lines },
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: 'index', intersect: false },
        plugins: {
          legend: { display: false },
          tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.parsed.y.toFixed(unit === ' %' ? 0 : 2)}${unit}`, afterBody: ([item]) => `${series.count[item.dataIndex]} scored` } },
        },
        scales: {
          x: { grid: { display: false }, border: { color: colours.line }, ticks: { color: colours.faint, maxRotation: 0, autoSkipPadding: 16 } },
          y: { beginAtZero: Boolean(zero || bars), max, grid: { color: colours.line }, border: { display: false }, ticks: { color: colours.faint, maxTicksLimit: 6, callback: (value) => (unit === ' %' ? `${value}%` : value) } },
        },
      },
    });
  }

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  let charts = [];
  function drawAll() {
    charts.forEach((chart) => chart.destroy());
    const colours = ink();
    charts = [...document.querySelectorAll('canvas[data-chart]')].map((canvas) => draw(canvas, colours));
  }

  drawAll();
  new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ['class'] });
})();

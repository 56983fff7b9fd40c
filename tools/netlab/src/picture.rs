//! A case over time: rates, waits, losses.

use crate::case::Algorithm;
use crate::measure::{Outcome, Point, ms};
use anyhow::anyhow;
use farpane_linksim::S;
use plotters::coord::Shift;
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (960, 640);
/// Points of a line; more of them would only make the file longer.
const MAX_POINTS: usize = 400;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A point's value.
type Value = fn(&Point) -> f64;

fn colour(algorithm: Algorithm) -> RGBColor {
    match algorithm {
        Algorithm::Scream => RGBColor(0, 90, 181),
        Algorithm::Gcc => RGBColor(0, 140, 90),
        Algorithm::Cubic => RGBColor(220, 50, 32),
        Algorithm::NewReno => RGBColor(220, 140, 0),
        Algorithm::Bbr => RGBColor(130, 60, 170),
    }
}

/// Draws outcomes of one case into an SVG file, the first one on top.
///
/// # Errors
/// The file cannot be written.
pub fn draw(outcomes: &[&Outcome], file: &Path) -> anyhow::Result<()> {
    let first = outcomes.first().ok_or_else(|| anyhow!("no outcome to draw"))?;
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    let failed = |error| anyhow!("cannot draw {}: {error}", file.display());
    root.fill(&WHITE).map_err(failed)?;
    let title = format!("{}: {}", first.case, first.title);
    let root = root.titled(&title, ("sans-serif", 20)).map_err(failed)?;
    let (rates, rest) = root.split_vertically(SIZE.1 * 45 / 100);
    let (waits, losses) = rest.split_vertically(SIZE.1 * 30 / 100);
    let capacity: Value = |p| p.capacity / 1e6;
    let rate: Value = |p| p.rates.iter().sum::<f64>() / 1e6;
    let panels: [(&Area<'_>, &str, Value, Option<Value>); 3] = [
        (&rates, "Mbit/s, all flows", rate, Some(capacity)),
        (&waits, "queue, ms", |p| ms(p.queued), None),
        (&losses, "lost / 100 ms", |p| p.lost as f64, None),
    ];
    for (i, (area, label, value, limit)) in panels.into_iter().enumerate() {
        panel(area, label, outcomes, value, limit, i == 0).map_err(failed)?;
    }
    root.present().map_err(failed)
}

fn panel<'a>(
    area: &Area<'a>,
    label: &str,
    outcomes: &[&Outcome],
    value: Value,
    limit: Option<Value>,
    has_legend: bool,
) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>> {
    let seconds = |p: &Point| p.at as f64 / S as f64;
    let points = || outcomes.iter().flat_map(|o| &o.series);
    let last = points().map(seconds).fold(1.0, f64::max);
    let most = points().map(|p| value(p).max(limit.map_or(0.0, |limit| limit(p))));
    let most = most.fold(1.0, f64::max) * 1.05;
    let mut chart = ChartBuilder::on(area)
        .margin(6)
        .x_label_area_size(24)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..last, 0.0..most)?;
    chart.configure_mesh().light_line_style(WHITE).y_desc(label).y_labels(5).draw()?;
    if let (Some(limit), Some(first)) = (limit, outcomes.first()) {
        let line = first.series.iter().map(|p| (seconds(p), limit(p)));
        let grey = RGBColor(150, 150, 150);
        let series = chart.draw_series(LineSeries::new(line, grey.stroke_width(2)))?;
        series.label("capacity").legend(move |(x, y)| mark(x, y, grey));
    }
    for outcome in outcomes.iter().rev() {
        let colour = colour(outcome.algorithm);
        let every = outcome.series.len().div_ceil(MAX_POINTS).max(1);
        let line = outcome.series.chunks(every).filter_map(|points| {
            let sum: f64 = points.iter().map(value).sum();
            Some((seconds(points.last()?), sum / points.len() as f64))
        });
        let series = chart.draw_series(LineSeries::new(line, colour))?;
        series.label(outcome.algorithm.name()).legend(move |(x, y)| mark(x, y, colour));
    }
    if has_legend {
        let background = WHITE.mix(0.8);
        let at = SeriesLabelPosition::UpperLeft;
        chart
            .configure_series_labels()
            .position(at)
            .background_style(background)
            .border_style(BLACK)
            .draw()?;
    }
    Ok(())
}

fn mark(x: i32, y: i32, colour: RGBColor) -> PathElement<(i32, i32)> {
    PathElement::new(vec![(x, y), (x + 16, y)], colour.stroke_width(2))
}

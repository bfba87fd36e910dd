-- No cell earns bits unless its value was here before its cut-off.
-- grain: series_no, period_start, cell_id
-- reads: cell_gain, int_stated_cell
-- range: all due cells
-- failure: stops
with
gain as (select * from cell_gain),

due as (
    select
        series_no,
        period_start,
        cell_id,
        status as due_status
    from int_stated_cell
)

select
    gain.series_no,
    gain.period_start,
    gain.cell_id,
    due.due_status,
    gain.bits
from gain
inner join due using (series_no, period_start, cell_id)
where gain.bits <> 0 and due.due_status <> 'arrived'
order by gain.series_no, gain.period_start, gain.cell_id

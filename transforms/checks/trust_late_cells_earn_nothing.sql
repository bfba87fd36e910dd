-- No cell earns bits unless its value was here before its cut-off.
-- grain: series_no, cell_no
-- reads: cell, cell_gain
-- range: all due cells
-- failure: stops
with
gain as (select * from cell_gain),

due as (
    select
        series_no,
        cell_no,
        status as due_status
    from cell
)

select
    gain.series_no,
    gain.cell_no,
    due.due_status,
    gain.bits
from gain
inner join due using (series_no, cell_no)
where gain.bits <> 0 and due.due_status <> 'arrived'
order by gain.series_no, gain.cell_no

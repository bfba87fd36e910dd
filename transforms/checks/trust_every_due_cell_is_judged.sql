-- Every due cell is in the result once: what is withheld cannot leave the denominator.
-- grain: series_no
-- reads: cell_gain, int_stated_cell
-- range: all series; they are compared by their cells' number and keys, for a join of every cell
--        would cost more than the measure
-- failure: stops
with
due as (
    select
        series_no,
        count(*) as cells,
        bit_xor(hash(period_start, cell_id)) as keys
    from int_stated_cell
    group by series_no
),

judged as (
    select
        series_no,
        count(*) as cells,
        bit_xor(hash(period_start, cell_id)) as keys
    from cell_gain
    group by series_no
)

select
    series_no,
    due.cells as due,
    judged.cells as judged
from due
full join judged using (series_no)
where due.cells is distinct from judged.cells or due.keys is distinct from judged.keys
order by series_no

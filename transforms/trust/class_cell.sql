-- Every due cell of every column of classes that has a witness; from here all kinds go one way.
-- grain: series_no, cell_no
-- reads: int_commitment_class, int_disruption_class, int_forecast_class
-- range: cut-off passed by run.as_of; f_class is null where nothing came in time, y_class where not
--        yet known, own_class where we could tell nothing but what came last; classes is how many
--        an outcome may have
with
known as (
    select
        *,
        '' as cell_id
    from int_forecast_class
    union all by name
    select * from int_commitment_class
    union all by name
    select
        *,
        '' as cell_id
    from int_disruption_class
),

keyed as (
    select
        *,
        -- Numbers for names: what follows sorts and groups by them many times.
        hash(partner, direction, kind, column_name, series_id) as series_no,
        hash(partner, direction, kind, column_name) as column_no
    from known
)

select
    series_no,
    row_number() over (
        partition by series_no order by cut_off_at, period_start, cell_id
    ) as cell_no,
    column_no,
    partner,
    direction,
    kind,
    column_name,
    series_id,
    period_start,
    cell_id,
    agreement_id,
    cut_off_at,
    y_known_at,
    status,
    f_class,
    y_class,
    own_class,
    classes
from keyed
order by series_no, cell_no

-- Information shared by column and week: bits, evidence, honesty gap and the share u of trust.md.
-- grain: partner, direction, kind, column_name, week
-- reads: definition, int_column_asked, int_column_week, int_measured_column, int_week
-- range: 52-week windows that end with the week; u is null under 26 due cells: not enough evidence
with
grid as (
    select
        int_week.*,
        measured.* exclude (partner, direction, witness, place),
        definition.* exclude (version),
        -- Newer weeks weigh more: lambda^age, up to a factor that every ratio loses again.
        pow(2, (week_no - min(week_no) over ()) / half_life_weeks) as recency
    from int_week
    inner join int_measured_column as measured using (partner, direction)
    cross join definition
),

filled as (
    select
        grid.*,
        coalesce(counted.due, 0) as due,
        coalesce(counted.arrived, 0) as arrived,
        coalesce(counted.late, 0) as late,
        coalesce(counted.missing, 0) as missing,
        coalesce(counted.scored, 0) as scored,
        coalesce(counted.bits, 0) as bits,
        coalesce(counted.told_square, 0) as told_square,
        coalesce(counted.used_square, 0) as used_square,
        coalesce(asked.asked, 0) as week_asked,
        coalesce(asked.answered, 0) as week_answered
    from grid
    left join int_column_week as counted using (column_no, week_no)
    left join int_column_asked as asked using (column_no, week_no)
),

summed as (
    select
        * exclude (due, arrived, late, missing, scored, bits, told_square, used_square, recency),
        bits as week_bits,
        due as week_due,
        arrived as week_arrived,
        scored as week_scored,
        told_square as week_told_square,
        used_square as week_used_square,
        sum(due) over recent as due,
        sum(arrived) over recent as arrived,
        sum(late) over recent as late,
        sum(missing) over recent as missing,
        sum(scored) over recent as scored,
        sum(bits) over recent as evidence_bits,
        sum(recency * bits) over recent / nullif(sum(recency * due) over recent, 0)
            as bits_per_cell,
        sum(recency * told_square) over recent as told_square,
        sum(recency * used_square) over recent as used_square
    from filled
    window recent as (
        partition by column_no order by week_no rows between 51 preceding and current row
    )
),

judged as (
    select
        *,
        due >= enough_cells as is_enough,
        case
            when used_square > 0 and told_square > 0
                then greatest(0, 0.5 * log2(told_square / used_square))
        end as honesty_gap
    from summed
)

select
    partner,
    direction,
    kind,
    column_name,
    week,
    level,
    weight,
    due,
    arrived,
    late,
    missing,
    scored,
    is_enough,
    week_asked,
    week_answered,
    week_due,
    week_arrived,
    week_scored,
    week_bits,
    week_told_square,
    week_used_square,
    case when is_enough then bits_per_cell end as bits_per_cell,
    case when is_enough then evidence_bits end as evidence_bits,
    case when is_enough then honesty_gap end as honesty_gap,
    case
        when is_enough
            then
                (1 - pow(2, -2 * greatest(bits_per_cell, 0)))
                * (0.5 + 0.5 * pow(2, -coalesce(honesty_gap, 0)))
                * (1 - pow(2, -greatest(evidence_bits - log2(20), 0)))
    end as u
from judged
order by partner, direction, kind, column_name, week

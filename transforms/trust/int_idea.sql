-- Ideas of both kinds that the partner offered, and when we first said yes.
-- grain: partner, direction, kind, idea_id
-- reads: stg_design_idea, stg_process_idea
-- range: as what it reads
with
both_kinds as (
    select
        *,
        'design_idea' as kind
    from stg_design_idea
    union all by name
    select
        *,
        'process_idea' as kind
    from stg_process_idea
)

select * from both_kinds

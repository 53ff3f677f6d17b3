"""Developers, projects, units, their prices, and where they are on a map."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import (
    CASCADE,
    SET_NULL,
    Base,
    Created,
    Currency,
    Json,
    Measure,
    Money,
    TenantOwned,
    Timestamp,
    Timestamped,
    UuidKey,
    normalised,
    one_of,
    refers_to,
)
from db.enums import MapShapeKind, UnitStatus


class Developer(UuidKey, TenantOwned, Timestamped, Base):
    """A firm that builds."""

    __tablename__ = "developers"
    __ordered_by__ = ("name",)

    name: Mapped[str] = mapped_column(info={"norm": "name_norm"})
    website: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    address: Mapped[str | None]
    logo_url: Mapped[str | None]
    name_norm: Mapped[str | None] = normalised("name")


class Project(UuidKey, TenantOwned, Timestamped, Base):
    """What a developer builds in one place."""

    __tablename__ = "projects"
    __listed_by__ = ("developer_id", "map_overlay_id")
    __ordered_by__ = ("name", "updated_at")
    __table_args__ = (Index("projects_tenant_name_ix", "tenant_id", "name"),)

    developer_id: Mapped[UUID | None] = refers_to("developers", SET_NULL)
    name: Mapped[str] = mapped_column(info={"norm": "name_norm"})
    location: Mapped[Json | None]
    status: Mapped[str | None]
    start_date: Mapped[date | None]
    end_date: Mapped[date | None]
    description: Mapped[str | None]
    map_overlay_id: Mapped[UUID | None] = refers_to("map_overlays", SET_NULL, circular=True)
    name_norm: Mapped[str | None] = normalised("name")


class _Code(UuidKey, Timestamped):
    """A word of a dictionary; a row without a tenant is everybody's."""

    tenant_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("tenants.id", ondelete=CASCADE), sort_order=-10, info={"hidden": True}
    )
    code: Mapped[str]
    label: Mapped[str]
    is_active: Mapped[bool | None] = mapped_column(server_default=text("TRUE"))


class UnitTypeCode(_Code, Base):
    """A type of unit."""

    __tablename__ = "unit_type_codes"
    __ordered_by__ = ("code",)
    __table_args__ = (UniqueConstraint("tenant_id", "code", postgresql_nulls_not_distinct=True),)


class ComponentTypeCode(_Code, Base):
    """A type of room or other part of a unit."""

    __tablename__ = "component_type_codes"
    __ordered_by__ = ("code",)
    __table_args__ = (UniqueConstraint("tenant_id", "code", postgresql_nulls_not_distinct=True),)


class Unit(UuidKey, TenantOwned, Timestamped, Base):
    """A flat, villa, shop or plot that is sold as one."""

    __tablename__ = "units"
    __listed_by__ = ("project_id",)
    __ordered_by__ = ("code", "price_minor", "updated_at")
    __table_args__ = (Index("units_lookup_ix", "tenant_id", "status", "unit_type_code", "price_minor"),)

    project_id: Mapped[UUID] = refers_to("projects", CASCADE)
    code: Mapped[str | None] = mapped_column(info={"norm": "code_norm"})
    floor: Mapped[int | None]
    unit_type_code: Mapped[str]
    size_sqm: Mapped[Measure | None]
    bedrooms: Mapped[int | None]
    bathrooms: Mapped[int | None]
    view: Mapped[str | None]
    price_minor: Mapped[Money | None]
    currency: Mapped[Currency | None]
    status: Mapped[str] = one_of(UnitStatus, UnitStatus.AVAILABLE)
    virtual_tour_url: Mapped[str | None]
    length_m: Mapped[Measure | None]
    width_m: Mapped[Measure | None]
    height_m: Mapped[Measure | None]
    code_norm: Mapped[str | None] = normalised("code")


class UnitComponent(UuidKey, TenantOwned, Timestamped, Base):
    """A room or other part of a unit."""

    __tablename__ = "unit_components"
    __listed_by__ = ("unit_id",)
    __ordered_by__ = ("sort_order",)
    __table_args__ = (
        Index("unit_components_unit_ix", "tenant_id", "unit_id"),
        Index("unit_components_unit_order_ix", "tenant_id", "unit_id", "sort_order", "id"),
    )

    unit_id: Mapped[UUID] = refers_to("units", CASCADE)
    component_type_code: Mapped[str]
    name: Mapped[str | None]
    length_m: Mapped[Measure | None]
    width_m: Mapped[Measure | None]
    height_m: Mapped[Measure | None]
    area_sqm: Mapped[Measure | None]
    sort_order: Mapped[int | None]


class UnitPriceChange(UuidKey, TenantOwned, Created, Base):
    """A price that a unit was given."""

    __tablename__ = "unit_price_history"
    __listed_by__ = ("unit_id", "changed_by_user_id")
    __ordered_by__ = ("effective_at",)

    unit_id: Mapped[UUID] = refers_to("units", CASCADE)
    price_minor: Mapped[Money]
    currency: Mapped[Currency]
    effective_at: Mapped[Timestamp]
    changed_by_user_id: Mapped[UUID | None] = refers_to("users")


Index(
    "unit_price_time_ix",
    UnitPriceChange.tenant_id,
    UnitPriceChange.unit_id,
    UnitPriceChange.effective_at.desc(),
)


class MapOverlay(UuidKey, TenantOwned, Timestamped, Base):
    """A plan or picture that shapes are drawn on."""

    __tablename__ = "map_overlays"
    __listed_by__ = ("project_id",)

    project_id: Mapped[UUID | None] = refers_to("projects", CASCADE)
    name: Mapped[str | None]
    file_url: Mapped[str | None]
    file_type: Mapped[str | None]
    width_px: Mapped[int | None]
    height_px: Mapped[int | None]
    dpi: Mapped[int | None]


class MapShape(UuidKey, TenantOwned, Timestamped, Base):
    """The outline of a unit or of a part of one, in one of its versions."""

    __tablename__ = "map_shapes"
    __listed_by__ = ("overlay_id", "unit_id", "unit_component_id", "updated_by_user_id")
    __ordered_by__ = ("updated_at",)
    __table_args__ = (Index("map_shapes_overlay_kind_ix", "overlay_id", "kind", "is_active"),)

    overlay_id: Mapped[UUID] = refers_to("map_overlays", CASCADE)
    kind: Mapped[str] = one_of(MapShapeKind)
    unit_id: Mapped[UUID | None] = refers_to("units", SET_NULL)
    unit_component_id: Mapped[UUID | None] = refers_to("unit_components", SET_NULL)
    unit_type_code: Mapped[str | None]
    component_type_code: Mapped[str | None]
    geom_geojson: Mapped[Json]
    area_sqm: Mapped[Measure | None]
    perimeter_m: Mapped[Measure | None]
    label: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    is_active: Mapped[bool] = mapped_column(server_default=text("TRUE"))
    updated_by_user_id: Mapped[UUID | None] = refers_to("users", SET_NULL)


__all__ = [
    "ComponentTypeCode",
    "Developer",
    "MapOverlay",
    "MapShape",
    "Project",
    "Unit",
    "UnitComponent",
    "UnitPriceChange",
    "UnitTypeCode",
]

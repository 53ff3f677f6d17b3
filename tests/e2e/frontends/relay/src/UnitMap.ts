import { graphql } from "relay-runtime";

import type { UnitMapQuery$data } from "./__generated__/UnitMapQuery.graphql";

export const query = graphql`
  query UnitMapQuery($shapes: MapShapeFilter) {
    mapOverlays(first: 1) {
      nodes {
        fileUrl
        widthPx
        heightPx
        shapes(first: 50, filter: $shapes) {
          nodes {
            kind
            label
            geomGeojson
            areaSqm
            unit {
              code
              status
              priceMinor
            }
          }
        }
      }
    }
  }
`;

export function areas(data: UnitMapQuery$data): number[] {
  const shapes = data.mapOverlays?.nodes[0]?.shapes?.nodes ?? [];
  return shapes.flatMap(({ areaSqm }) => (areaSqm === null ? [] : [Number.parseFloat(areaSqm)]));
}

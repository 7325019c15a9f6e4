package org.apache.iceberg.rest;

import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.CatalogUtil;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * Serves the Iceberg project's reference REST catalog on 127.0.0.1 only (the published main listens
 * on all addresses). All settings come from the environment: REST_PORT, and CATALOG_* where a double
 * underscore is a dash and a single one a dot. It stands in the servlets' package for access.
 */
public final class LabCatalog {
  private LabCatalog() {}

  public static void main(String[] args) throws Exception {
    Map<String, String> conf = new HashMap<>(RCKUtils.environmentCatalogConfig());
    conf.putIfAbsent("catalog-impl", "org.apache.iceberg.jdbc.JdbcCatalog");
    conf.putIfAbsent("jdbc.schema-version", "V1");
    var catalog = CatalogUtil.buildIcebergCatalog("rest_backend", conf, new Configuration());
    var adapter = new RESTServerCatalogAdapter(new RESTCatalogServer.CatalogContext(catalog, conf));
    var context = new ServletContextHandler();
    context.addServlet(new ServletHolder(new RESTCatalogServlet(adapter)), "/*");
    var server = new Server();
    var connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    connector.setPort(Integer.parseInt(System.getenv().getOrDefault("REST_PORT", "8181")));
    server.addConnector(connector);
    server.setHandler(context);
    server.start();
    server.join();
  }
}
